// Plays games on the emulator under a sanitizer: tests/endurance/sanitizers compiles and starts it.
//
//   ale games STEPS FOLDER       every cartridge of the folder: creates, plays random actions, destroys, three times
//   ale threads COUNT STEPS FOLDER   the same in many threads at once, with the locks of native/ale/src/ffi.rs: creating
//                                and destroying alone, everything else together
//
// Prints one line; the exit code is that of the sanitizer if it has something to report.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "emucore/FSNode.hxx"

struct DeepspiAle;
extern "C" {
uint8_t* deepspi_ale_cartridge(std::size_t size);
int deepspi_ale_create(const char*, const char*, const char*, int32_t, float, DeepspiAle**, char*, std::size_t);
void deepspi_ale_destroy(DeepspiAle*);
int deepspi_ale_reset(DeepspiAle*, char*, std::size_t);
int deepspi_ale_reset_with_seed(DeepspiAle*, int32_t, char*, std::size_t);
int deepspi_ale_renew(DeepspiAle*, int32_t, char*, std::size_t);
int deepspi_ale_act(DeepspiAle*, int32_t, int32_t*, char*, std::size_t);
int32_t deepspi_ale_game_over(const DeepspiAle*);
int32_t deepspi_ale_lives(const DeepspiAle*);
const uint8_t* deepspi_ale_screen(const DeepspiAle*, std::size_t*, std::size_t*);
void deepspi_ale_ram(const DeepspiAle*, uint8_t*);
void deepspi_ale_palette(DeepspiAle*, uint8_t*, uint8_t*);
int deepspi_ale_minimal_actions(DeepspiAle*, int32_t*, char*, std::size_t);
}

// Nobody calls these; for the browser the linker leaves their callers out.
AbstractFilesystemNode* FilesystemNode::getRoot() { std::abort(); }
AbstractFilesystemNode* FilesystemNode::getNodeForPath(const std::string&) { std::abort(); }

namespace {

struct Game {
  std::string name;
  std::vector<uint8_t> rom;
};

std::shared_timed_mutex lifecycle;

void check(int status, const Game& game, const char* message) {
  if (status >= 0) return;
  std::fprintf(stderr, "%s: %s\n", game.name.c_str(), message);
  std::abort();
}

// The sum of what was seen, so that nothing is left out by the compiler.
uint64_t play(const Game& game, int32_t seed, int steps) {
  DeepspiAle* console = nullptr;
  char message[256] = "";
  {
    std::unique_lock<std::shared_timed_mutex> alone(lifecycle);
    std::memcpy(deepspi_ale_cartridge(game.rom.size()), game.rom.data(), game.rom.size());
    check(deepspi_ale_create("/nonexistent", "rom", game.name.c_str(), seed, 0.25f, &console, message, sizeof message),
          game, message);
  }
  std::mt19937 random(seed);
  uint64_t seen = 0;
  uint8_t ram[128], gray[128], rgb[384];
  int32_t actions[18];
  {
    std::shared_lock<std::shared_timed_mutex> together(lifecycle);
    deepspi_ale_palette(console, gray, rgb);
    check(deepspi_ale_minimal_actions(console, actions, message, sizeof message), game, message);
    check(deepspi_ale_reset(console, message, sizeof message), game, message);
  }
  for (int step = 0; step < steps; ++step) {
    std::shared_lock<std::shared_timed_mutex> together(lifecycle);
    int32_t reward = 0;
    check(deepspi_ale_act(console, static_cast<int32_t>(random() % 18), &reward, message, sizeof message), game, message);
    std::size_t height = 0, width = 0;
    const uint8_t* screen = deepspi_ale_screen(console, &height, &width);
    for (std::size_t i = 0; i < height * width; i += 997) seen += screen[i];
    deepspi_ale_ram(console, ram);
    seen += ram[random() % 128] + static_cast<uint64_t>(reward) + static_cast<uint64_t>(deepspi_ale_lives(console));
    if (deepspi_ale_game_over(console) || step % 700 == 699) {
      // The two ways to another game.
      if (random() % 2 == 0) {
        check(deepspi_ale_reset_with_seed(console, seed + step, message, sizeof message), game, message);
      } else {
        check(deepspi_ale_renew(console, seed + step, message, sizeof message), game, message);
        check(deepspi_ale_reset(console, message, sizeof message), game, message);
      }
    }
  }
  std::unique_lock<std::shared_timed_mutex> alone(lifecycle);
  deepspi_ale_destroy(console);
  return seen;
}

std::vector<Game> games_in(const std::string& folder) {
  std::vector<Game> games;
  DIR* open = opendir(folder.c_str());
  for (dirent* entry = open ? readdir(open) : nullptr; entry; entry = readdir(open)) {
    const std::string name = entry->d_name;
    if (name.size() < 5 || name.compare(name.size() - 4, 4, ".bin") != 0) continue;
    std::ifstream file(folder + "/" + name, std::ios::binary);
    games.push_back({name.substr(0, name.size() - 4),
                     std::vector<uint8_t>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>())});
  }
  if (open) closedir(open);
  std::sort(games.begin(), games.end(), [](const Game& a, const Game& b) { return a.name < b.name; });
  return games;
}

}  // namespace

int main(int count, char** arguments) {
  const bool threads = count == 5 && std::string(arguments[1]) == "threads";
  if (!threads && !(count == 4 && std::string(arguments[1]) == "games")) {
    std::fprintf(stderr, "see the head of the file\n");
    return 2;
  }
  const int steps = std::atoi(arguments[count - 2]);
  const std::vector<Game> games = games_in(arguments[count - 1]);
  uint64_t seen = 0;
  if (!threads) {
    for (const Game& game : games)
      for (int32_t seed = 1; seed <= 3; ++seed) seen += play(game, seed, seed == 1 ? steps : steps / 20);
    std::printf("%zu games x %d random steps, created and destroyed three times each (%llu)\n", games.size(), steps,
                static_cast<unsigned long long>(seen));
    return games.empty();
  }
  const int workers = std::atoi(arguments[2]);
  std::vector<std::thread> all;
  for (int worker = 0; worker < workers; ++worker)
    all.emplace_back([&, worker] {
      // Every thread begins with another game, so that different games run beside each other.
      for (std::size_t i = 0; i < games.size(); ++i)
        play(games[(i + static_cast<std::size_t>(worker)) % games.size()], worker + 1, steps);
    });
  for (std::thread& one : all) one.join();
  std::printf("%d threads x %zu games x %d random steps\n", workers, games.size(), steps);
  return games.empty();
}
