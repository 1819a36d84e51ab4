// Stands in for files when ALE is compiled for the browser, where there are none.
//
// ALE reads its cartridge with zlib's functions `gzopen`, `gzread`, `gzclose`, and asks whether its base folder
// exists. Here the cartridge is a piece of memory that the caller fills (`deepspi_ale_cartridge`), every path names
// it, and zlib is left out: ALE uses it for nothing else but pictures and gzip files, which the shim never asks for.
// All other files (`ale.cfg`, `stella.pro`) are opened with `fstream`; emscripten is told to build without a file
// system, so these do not exist, as in the empty folder that the native program gives to ALE.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "emucore/FSNode.hxx"
#include "external/zlib/zlib.h"

namespace {

std::vector<uint8_t> cartridge;

}  // namespace

extern "C" {

// Makes room for a cartridge of `size` bytes and returns where to write them; valid until the next call.
uint8_t* deepspi_ale_cartridge(std::size_t size) {
  cartridge.assign(size, 0);
  return cartridge.data();
}

gzFile gzopen(const char*, const char*) {
  return cartridge.empty() ? nullptr : reinterpret_cast<gzFile>(cartridge.data());
}

int gzread(gzFile, voidp buffer, unsigned capacity) {
  const std::size_t size = cartridge.size() < capacity ? cartridge.size() : capacity;
  std::memcpy(buffer, cartridge.data(), size);
  return static_cast<int>(size);
}

int gzclose(gzFile) { return Z_OK; }

// For pictures of the screen, which are taken elsewhere.
uLong crc32(uLong, const Bytef*, uInt) { std::abort(); }
int compress(Bytef*, uLongf*, const Bytef*, uLong) { std::abort(); }

}  // extern "C"

bool AbstractFilesystemNode::fileExists(const std::string&) { return true; }
bool AbstractFilesystemNode::dirExists(const std::string&) { return true; }
bool AbstractFilesystemNode::makeDir(const std::string&) { return true; }
