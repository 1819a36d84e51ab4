// The only C++ of the project: a flat, exception-free C interface over the emulator classes of `ale-sys`.
//
// Why not the C API that ships with ALE: it prints a banner and unbuffers the process's stdout, reads
// `ale.cfg`, `stella.pro`, `stella.pal` and `md5.txt` from whatever the working directory is (any of which can
// change a run), ends the process with `exit()` on bad input, lets C++ exceptions cross into Rust, has no
// settings for Surround, and can miss the end of a ChopperCommand game.
//
// What must not be broken:
// - No exception leaves this file (ALE also throws pointers and C strings, hence `catch (...)`).
// - Nothing that reaches `exit()` is called: actions are checked to be 0..17, `display_screen` stays off, and
//   the game id is looked up before anything depends on it.
// - No file outside `base_dir` is opened. `ALEInterface` is therefore not used: it hard-wires the current
//   directory. The steps of its `loadROM` are repeated here in the same order, because the order fixes the
//   state of the random generator and thus every later frame.
// - `deepspi_ale_create` and `deepspi_ale_destroy` touch process-wide statics of ALE
//   (`Cartridge::myAboutString`, `M6502::ourBCDTable`). The Rust side runs them alone.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/Log.hpp"
#include "emucore/Console.hxx"
#include "emucore/OSystem.hxx"
#include "emucore/Settings.hxx"
#include "emucore/Switches.hxx"
#include "emucore/m6502/src/System.hxx"
#include "environment/phosphor_blend.hpp"
#include "environment/stella_environment.hpp"
#include "games/RomUtils.hpp"
#include "games/Roms.hpp"
#include "games/supported/ChopperCommand.hpp"

namespace {

// An OSystem whose files live in a folder of our choice, and which knows no clock.
class HermeticSystem : public OSystem {
 public:
  explicit HermeticSystem(const std::string& base_dir) {
    setBaseDir(base_dir);
    setConfigFile(base_dir + "/ale.cfg");
  }
  uInt32 getTicks() override { return 0; }
};

// Surround, which this ALE lacks: the one-player game against the console, first to ten.
class SurroundSettings : public ale::RomSettings {
 public:
  void reset() override {
    lead_ = 0;
    reward_ = 0;
    terminal_ = false;
  }

  void step(const System& system) override {
    const int opponent = ale::getDecimalScore(kOpponentScore, &system);
    const int own = ale::getDecimalScore(kOwnScore, &system);
    reward_ = (own - opponent) - lead_;
    lead_ = own - opponent;
    terminal_ = own == kWinningScore || opponent == kWinningScore;
  }

  bool isTerminal() const override { return terminal_; }
  ale::reward_t getReward() const override { return reward_; }
  const char* rom() const override { return "surround"; }
  ale::RomSettings* clone() const override { return new SurroundSettings(*this); }

  bool isMinimal(const ale::Action& action) const override {
    switch (action) {
      case ale::PLAYER_A_NOOP:
      case ale::PLAYER_A_UP:
      case ale::PLAYER_A_RIGHT:
      case ale::PLAYER_A_LEFT:
      case ale::PLAYER_A_DOWN:
        return true;
      default:
        return false;
    }
  }

  ale::ModeVect getAvailableModes() override { return {0, 2}; }
  ale::DifficultyVect getAvailableDifficulties() override { return {0, 1, 2, 3}; }

  void setMode(ale::game_mode_t mode, System& system,
               std::unique_ptr<ale::StellaEnvironmentWrapper> environment) override {
    if (!isModeSupported(mode)) throw std::runtime_error("Surround has no such mode");
    // The cartridge starts in a two-player variation; SELECT walks through them.
    const int wanted = static_cast<int>(mode) + 1;
    for (int presses = 0; ale::readRam(&system, kVariation) != wanted; ++presses) {
      if (presses == kMaxSelectPresses) throw std::runtime_error("Surround never reached the wanted variation");
      environment->pressSelect();
    }
    environment->softReset();
  }

  // Save states are not part of this interface.
  void saveState(Serializer&) override {}
  void loadState(Deserializer&) override {}

 private:
  static const int kOpponentScore = 0xF6;
  static const int kOwnScore = 0xF7;
  static const int kVariation = 0xF9;
  static const int kWinningScore = 10;
  static const int kMaxSelectPresses = 256;

  ale::reward_t lead_ = 0;
  ale::reward_t reward_ = 0;
  bool terminal_ = false;
};

// ALE's own class forgets every frame that the game has started, so it can miss the end. Latch it instead.
class ChopperCommandLatched : public ale::ChopperCommandSettings {
 public:
  void reset() override {
    ale::ChopperCommandSettings::reset();
    started_ = false;
    out_of_lives_ = false;
  }

  void step(const System& system) override {
    ale::ChopperCommandSettings::step(system);
    started_ = started_ || (ale::readRam(&system, 0xC2) & 1) != 0;
    out_of_lives_ = (ale::readRam(&system, 0xE4) & 0xF) == 0;
  }

  bool isTerminal() const override { return started_ && out_of_lives_; }

 private:
  bool started_ = false;
  bool out_of_lives_ = false;
};

// The project's own cartridge (core/worlds/cartridge/maze.asm, which says what the bytes mean). ALE's rewards are whole
// numbers, and those of the maze are not: a reward is a code here, and the Rust side knows its value.
class MazeCartridgeSettings : public ale::RomSettings {
 public:
  void reset() override {
    pluses_ = 0;
    end_ = kRunning;
    code_ = 0;
    over_ = false;
  }

  void step(const System& system) override {
    const int pluses = ale::readRam(&system, kPluses);
    const int end = ale::readRam(&system, kEnd);
    over_ = ale::readRam(&system, kOver) != 0;
    // After RESET or FIRE both are smaller than before, and nothing was earned.
    if (end != end_ && (end == kGoal || end == kTrap)) {
      code_ = end;
    } else {
      code_ = pluses > pluses_ ? 1 : 0;
    }
    pluses_ = pluses;
    end_ = end;
  }

  bool isTerminal() const override { return over_; }
  ale::reward_t getReward() const override { return code_; }
  const char* rom() const override { return "maze_cartridge"; }
  ale::RomSettings* clone() const override { return new MazeCartridgeSettings(*this); }

  bool isMinimal(const ale::Action& action) const override {
    switch (action) {
      case ale::PLAYER_A_UP:
      case ale::PLAYER_A_RIGHT:
      case ale::PLAYER_A_LEFT:
      case ale::PLAYER_A_DOWN:
        return true;
      default:
        return false;
    }
  }

  // Left difficulty A, for people: a push of the stick is one move, however long it lasts.
  ale::DifficultyVect getAvailableDifficulties() override { return {0, 1}; }

  // Save states are not part of this interface.
  void saveState(Serializer&) override {}
  void loadState(Deserializer&) override {}

 private:
  static const int kPluses = 0x84;
  static const int kEnd = 0x85;
  static const int kOver = 0x87;
  static const int kRunning = 0;
  static const int kGoal = 2;
  static const int kTrap = 3;

  int pluses_ = 0;
  int end_ = kRunning;
  ale::reward_t code_ = 0;
  bool over_ = false;
};

ale::RomSettings* settings_for(const std::string& game_id) {
  if (game_id == "surround") return new SurroundSettings();
  if (game_id == "maze_cartridge") return new MazeCartridgeSettings();
  if (game_id == "chopper_command") return new ChopperCommandLatched();
  return ale::buildRomRLWrapper(game_id);
}

void report(char* message, std::size_t capacity, const char* text) {
  if (message == nullptr || capacity == 0) return;
  std::strncpy(message, text, capacity - 1);
  message[capacity - 1] = '\0';
}

// Runs `body`; 0 when it returned, -1 with a message when it threw whatever.
template <typename Body>
int guarded(char* message, std::size_t capacity, Body body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    report(message, capacity, error.what());
  } catch (const std::exception* error) {
    report(message, capacity, error->what());
    delete error;
  } catch (const char* text) {
    report(message, capacity, text);
  } catch (...) {
    report(message, capacity, "unknown C++ exception");
  }
  return -1;
}

}  // namespace

// Every `StellaEnvironment` holds a table for averaging the colours of two frames, and ALE spends 0.13 s on filling it:
// far more than on the rest of a console. Averaging is never on here, so these two definitions stand in for the file
// `phosphor_blend.cpp`. They are all that the rest of ALE uses of it, hence the linker, which has this object before
// it comes to the archive, leaves that file out. Should it ever be pulled in, the build fails with a duplicate symbol.
namespace ale {

PhosphorBlend::PhosphorBlend(OSystem* osystem) : m_osystem(osystem), m_phosphor_blend_ratio(0) {}

void PhosphorBlend::process(ALEScreen&) { throw std::logic_error("colour averaging is not available"); }

}  // namespace ale

// Members are destroyed from last to first, as in `ALEInterface`.
struct DeepspiAle {
  std::unique_ptr<HermeticSystem> system;
  std::unique_ptr<Settings> settings;
  std::unique_ptr<ale::RomSettings> rules;
  std::unique_ptr<ale::StellaEnvironment> environment;
  // The console as it was when it was created, before its first reset.
  std::unique_ptr<ale::ALEState> power_on;
};

namespace {

// Frames that a new console plays to find out whether its cartridge draws for NTSC or PAL.
constexpr int kFormatFrames = 60;

// Switches the console off and on. As when a console is created, `seed` fills its RAM with random bytes; a cartridge may
// read them. The generator runs on.
void switch_on(DeepspiAle& atari, int32_t seed) {
  if (seed < 1) throw std::runtime_error("the seed must be at least 1; 0 would mean the wall clock");
  atari.environment->restoreSystemState(*atari.power_on);
  atari.settings->setInt("random_seed", seed);
  atari.system->resetRNGSeed();
  System& chips = atari.system->console().system();
  for (uInt16 address = 0x80; address < 0x100; ++address) {
    chips.poke(address, static_cast<uInt8>(atari.system->rng().next()));
  }
}

// The controllers and switches as nobody has touched them yet: switches as the cartridge database has them, paddles at 0,
// which `Event::clear` leaves where they are.
void untouched(Event& event, Console& console) {
  event.clear();
  for (const Event::Type paddle : {Event::PaddleZeroResistance, Event::PaddleOneResistance, Event::PaddleTwoResistance,
                                   Event::PaddleThreeResistance}) {
    event.set(paddle, 0);
  }
  const bool left_b = console.properties().get(Console_LeftDifficulty) == "B";
  const bool right_b = console.properties().get(Console_RightDifficulty) == "B";
  const bool colour = console.properties().get(Console_TelevisionType) == "COLOR";
  const Event::Type switches[] = {left_b ? Event::ConsoleLeftDifficultyB : Event::ConsoleLeftDifficultyA,
                                  right_b ? Event::ConsoleRightDifficultyB : Event::ConsoleRightDifficultyA,
                                  colour ? Event::ConsoleColor : Event::ConsoleBlackWhite};
  // Reading makes the switches follow the events.
  for (const Event::Type position : switches) event.set(position, 1);
  console.switches().read();
  for (const Event::Type position : switches) event.set(position, 0);
}

}  // namespace

extern "C" {

// Builds a console with the ROM in it. The game is not yet reset. `base_dir` and `rom_path` must exist.
int deepspi_ale_create(const char* base_dir, const char* rom_path, const char* game_id, int32_t seed,
                         float repeat_action_probability, DeepspiAle** out, char* message,
                         std::size_t capacity) {
  *out = nullptr;
  return guarded(message, capacity, [&] {
    ale::Logger::setMode(ale::Logger::Error);
    if (seed < 1) throw std::runtime_error("the seed must be at least 1; 0 would mean the wall clock");

    std::unique_ptr<DeepspiAle> atari(new DeepspiAle());
    atari->rules.reset(settings_for(game_id));
    if (!atari->rules) throw std::runtime_error(std::string("no game rules for ") + game_id);

    atari->system.reset(new HermeticSystem(base_dir));
    atari->settings.reset(new Settings(atari->system.get()));
    Settings& settings = *atari->settings;
    settings.setInt("random_seed", seed);
    settings.setFloat("repeat_action_probability", repeat_action_probability);
    settings.setInt("frame_skip", 1);
    settings.setInt("max_num_frames_per_episode", 0);
    settings.setBool("color_averaging", false);
    // ALE presets "NO", which overrides the cartridge database and leaves Wizard of Wor without controls. Empty
    // keeps the database's value; it has none for Surround, whose single player sits at the right port.
    settings.setString("sp", std::string(game_id) == "surround" ? "YES" : "");
    settings.validate();

    atari->system->create();
    if (!atari->system->createConsole(rom_path)) throw std::runtime_error("the console could not be created");
    // Creating the console has drawn from the generator; ALE seeds it a second time here.
    atari->system->resetRNGSeed();
    atari->system->colourPalette().setPalette("standard", atari->system->console().getFormat());

    atari->environment.reset(new ale::StellaEnvironment(atari->system.get(), atari->rules.get()));
    atari->power_on.reset(new ale::ALEState(atari->environment->cloneSystemState()));
    *out = atari.release();
  });
}

void deepspi_ale_destroy(DeepspiAle* atari) {
  guarded(nullptr, 0, [&] { delete atari; });
}

// Starts a new game: console reset, 60 idle frames, RESET switch, mode, starting actions.
int deepspi_ale_reset(DeepspiAle* atari, char* message, std::size_t capacity) {
  return guarded(message, capacity, [&] { atari->environment->reset(); });
}

// Switches the console off and on, and starts a new game of which `seed` decides all chance: RAM, timer, sticky
// actions. What was played before leaves no trace, so the same seed and actions give the same game again.
int deepspi_ale_reset_with_seed(DeepspiAle* atari, int32_t seed, char* message, std::size_t capacity) {
  return guarded(message, capacity, [&] {
    switch_on(*atari, seed);
    atari->environment->reset();
  });
}

// Makes of a used console one that `deepspi_ale_create` with this seed has just built: the game is not yet reset. It
// repeats what the constructor of `Console` does after the chips exist, in the same order, because the order fixes the
// random numbers. Unlike a creation it allocates nothing that stays, and it needs no ROM file.
int deepspi_ale_renew(DeepspiAle* atari, int32_t seed, char* message, std::size_t capacity) {
  return guarded(message, capacity, [&] {
    switch_on(*atari, seed);
    Console& console = atari->system->console();
    untouched(*atari->system->event(), console);
    // The timer of the chip with the RAM, before the chip belongs to a console.
    atari->system->rng().next();
    if (console.properties().get(Display_Format) == "AUTO-DETECT") {
      console.system().reset();
      for (int frame = 0; frame < kFormatFrames; ++frame) console.mediaSource().update();
    }
    console.system().reset();
    atari->system->resetRNGSeed();
  });
}

// Emulates one frame; after the end of a game it emulates nothing and the reward is 0.
int deepspi_ale_act(DeepspiAle* atari, int32_t action, int32_t* reward, char* message, std::size_t capacity) {
  return guarded(message, capacity, [&] {
    if (action < ale::PLAYER_A_NOOP || action > ale::PLAYER_A_DOWNLEFTFIRE) {
      throw std::runtime_error("the action is outside 0..17");
    }
    *reward = atari->environment->act(static_cast<ale::Action>(action), ale::PLAYER_B_NOOP);
  });
}

// True only at the end of the game: there is no frame limit inside the emulator.
int32_t deepspi_ale_game_over(const DeepspiAle* atari) { return atari->environment->isTerminal() ? 1 : 0; }

int32_t deepspi_ale_lives(const DeepspiAle* atari) { return atari->rules->lives(); }

// The pixels of the last frame, row by row, as palette indices; valid until the handle is destroyed.
const uint8_t* deepspi_ale_screen(const DeepspiAle* atari, std::size_t* height, std::size_t* width) {
  const ale::ALEScreen& screen = atari->environment->getScreen();
  *height = screen.height();
  *width = screen.width();
  return screen.getArray();
}

// Lines of the last frame; the standard has 262.
int32_t deepspi_ale_scanlines(const DeepspiAle* atari) {
  return static_cast<int32_t>(atari->system->console().mediaSource().scanlines());
}

// The difficulty switches from the next frame on: bit 0 left, bit 1 right; 1 is A. A reset with a seed sets both to B.
void deepspi_ale_set_difficulty(DeepspiAle* atari, int32_t switches) {
  atari->environment->setDifficulty(static_cast<ale::difficulty_t>(switches & 3));
}

// Fills the 128 RAM bytes as they were after the last frame.
void deepspi_ale_ram(const DeepspiAle* atari, uint8_t* out128) {
  const ale::ALERAM& ram = atari->environment->getRAM();
  for (std::size_t i = 0; i < 128; ++i) out128[i] = ram.get(static_cast<unsigned int>(i));
}

// The colours of the 128 palette indices 0, 2, .. 254: luminance, and red, green, blue.
void deepspi_ale_palette(DeepspiAle* atari, uint8_t* gray128, uint8_t* rgb384) {
  uint8_t index[128];
  for (int i = 0; i < 128; ++i) index[i] = static_cast<uint8_t>(2 * i);
  atari->system->colourPalette().applyPaletteGrayscale(gray128, index, sizeof index);
  atari->system->colourPalette().applyPaletteRGB(rgb384, index, sizeof index);
}

// Writes the minimal action set in ascending order into `out18` and returns its length.
int deepspi_ale_minimal_actions(DeepspiAle* atari, int32_t* out18, char* message, std::size_t capacity) {
  int count = 0;
  const int status = guarded(message, capacity, [&] {
    for (ale::Action action : atari->rules->getMinimalActionSet()) {
      if (count == 18) throw std::runtime_error("more than 18 minimal actions");
      out18[count++] = action;
    }
  });
  return status == 0 ? count : status;
}

}  // extern "C"
