# shellcheck shell=bash disable=SC2034 # the variables are for the scripts that source this one
# Functions that `run`, `check`, `tools/web` and `tools/wasm-build` share: they find the tools that the
# scripts need, install missing ones, and set the folder of build results. This file is sourced, not
# executed.
#
# Rules: one line announces each installation before it starts. If nothing is missing, nothing is
# printed, no process is started and the network is not used, because `./run` goes through this code
# on every start.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
program=${0##*/}
HOME=${HOME:-~}
export HOME

cache=${XDG_CACHE_HOME:-$HOME/.cache}/deepspi
tools_dir=$cache/tools

say() { printf '%s: %s\n' "$program" "$*" >&2; }

die() {
    say "error: $*"
    exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# limited SECONDS COMMAND...: runs a command with a time limit, so that a download that hangs does
# not block the caller. Without the program `timeout` (macOS) there is no limit.
limited() {
    local seconds=$1
    shift
    if have timeout; then
        timeout "$seconds" "$@"
    else
        "$@"
    fi
}

# cksum_of: prints a hash of the standard input.
cksum_of() {
    if have sha256sum; then
        sha256sum | cut -c 1-16
    else
        shasum -a 256 | cut -c 1-16
    fi
}

# In CI a fresh checkout has no earlier build results, so they are kept in the cache.
if [ "${CI:-}" = true ] && [ -z "${CARGO_TARGET_DIR:-}" ]; then
    export CARGO_TARGET_DIR=$cache/target
fi
target_dir=${CARGO_TARGET_DIR:-$root/target}
# tools/wasm-build builds in a folder inside; what it starts gets that as its own, and must not nest it again.
target_dir=${target_dir%/wasm-target}

# Outside the repository cargo does not find the repository's configuration.
cargo_config=()
case $PWD/ in
    "$root"/*) ;;
    *) cargo_config=(--config "$root/.cargo/config.toml") ;;
esac

# ---- finding tools -------------------------------------------------------------------------------

have_cxx() { have "${CXX:-c++}" || have g++ || have clang++; }

have_pip() {
    have python3 || return 1
    have pip3 || have pip || python3 -m pip --version >/dev/null 2>&1
}

have_vulkan() {
    [ "$(uname -s)" != Darwin ] || return 0 # Metal is part of the system.
    local file
    for file in /usr/lib/*/libvulkan.so.1 /usr/lib64/libvulkan.so.1 /usr/lib/libvulkan.so.1 \
        /usr/local/lib/libvulkan.so.1; do
        [ ! -e "$file" ] || return 0
    done
    local IFS=:
    for file in ${LD_LIBRARY_PATH:-}; do
        [ ! -e "$file/libvulkan.so.1" ] || return 0
    done
    return 1
}

# Whether a Vulkan driver is installed that needs no graphics card. If the user has set a driver, it
# is used.
have_lavapipe() {
    [ "$(uname -s)" != Darwin ] || return 0 # Metal is part of the system.
    [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || return 0
    have_vulkan || return 1
    local file
    for file in /usr/share/vulkan/icd.d/lvp_icd*.json /usr/local/share/vulkan/icd.d/lvp_icd*.json \
        /etc/vulkan/icd.d/lvp_icd*.json; do
        [ ! -e "$file" ] || return 0
    done
    return 1
}

is_there() {
    case $1 in
        lavapipe) have_lavapipe ;;
        cxx) have_cxx ;;
        pip) have_pip ;;
        vulkan) have_vulkan ;;
        *) have "$1" ;;
    esac
}

# purpose_of THING: prints why a missing tool is needed.
purpose_of() {
    case $1 in
        cmake | make | cxx) echo "builds the Atari emulator, which is written in C++" ;;
        pip) echo "fetches the Atari ROMs, which come inside a Python package" ;;
        vulkan) echo "lets the program see the graphics card" ;;
        lavapipe) echo "runs the shaders of the tests without a graphics card" ;;
        emcc) echo "compiles the Atari emulator for the browser" ;;
        shellcheck) echo "checks the shell scripts" ;;
        brotli) echo "measures the download size of the browser page" ;;
        node) echo "drives the browser tests" ;;
        chromium) echo "is the browser of the browser tests" ;;
        *) echo "needed by $program" ;;
    esac
}

# ---- installing ----------------------------------------------------------------------------------

package_manager() {
    local manager
    for manager in apt-get dnf pacman zypper brew; do
        if have "$manager"; then
            echo "$manager"
            return
        fi
    done
}

# package_for THING MANAGER: prints the names of the packages in this package manager.
package_for() {
    case $1:$2 in
        cxx:apt-get) echo "g++ libc6-dev" ;;
        cxx:dnf | cxx:zypper) echo "gcc-c++" ;;
        cxx:pacman) echo "gcc" ;;
        cxx:brew) echo "gcc" ;;
        pip:pacman) echo "python python-pip" ;;
        pip:brew) echo "python3" ;;
        pip:*) echo "python3 python3-pip" ;;
        vulkan:apt-get | vulkan:zypper) echo "libvulkan1" ;;
        vulkan:pacman) echo "vulkan-icd-loader" ;;
        vulkan:*) echo "vulkan-loader" ;;
        lavapipe:apt-get) echo "libvulkan1 mesa-vulkan-drivers" ;;
        lavapipe:dnf) echo "vulkan-loader mesa-vulkan-drivers" ;;
        lavapipe:pacman) echo "vulkan-icd-loader vulkan-swrast" ;;
        lavapipe:zypper) echo "libvulkan1 libvulkan_lvp" ;;
        lavapipe:brew) echo "vulkan-loader mesa" ;;
        emcc:*) echo "emscripten" ;;
        shellcheck:dnf | shellcheck:zypper) echo "ShellCheck" ;;
        node:apt-get) echo "nodejs npm" ;;
        node:brew) echo "node" ;;
        node:*) echo "nodejs npm" ;;
        *) echo "$1" ;;
    esac
}

# install_packages MANAGER PACKAGE...: prints nothing on success, and the last lines of the output
# on failure.
install_packages() {
    local manager=$1 log command as_root=()
    shift
    if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
        have sudo || {
            say "error: installing $* needs root rights, and there is no sudo here"
            return 1
        }
        as_root=(sudo)
        # Without a terminal nobody can type a password.
        [ -t 0 ] || as_root=(sudo -n)
    fi
    case $manager in
        apt-get) command=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends) ;;
        dnf) command=(dnf install -y) ;;
        pacman) command=(pacman -S --noconfirm --needed) ;;
        zypper) command=(zypper --non-interactive install) ;;
        brew) command=(brew install) ;;
    esac
    log=$(mktemp)
    # A new machine often has no package lists yet; then they are updated and the installation is
    # tried again.
    if "${as_root[@]+"${as_root[@]}"}" "${command[@]}" "$@" >"$log" 2>&1 ||
        { [ "$manager" = apt-get ] &&
            "${as_root[@]+"${as_root[@]}"}" apt-get update >"$log" 2>&1 &&
            "${as_root[@]+"${as_root[@]}"}" "${command[@]}" "$@" >>"$log" 2>&1; }; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

# need THING...: installs the missing ones, or ends the script with a message that says what to do.
need() {
    local thing manager packages
    for thing in "$@"; do
        ! is_there "$thing" || continue
        manager=$(package_manager)
        [ -n "$manager" ] || die "$thing is missing ($(purpose_of "$thing")), and none of" \
            "apt-get, dnf, pacman, zypper and brew is here to install it with." \
            "Install it by hand and try again."
        packages=$(package_for "$thing" "$manager")
        say "installing $packages with $manager ($(purpose_of "$thing"))"
        # shellcheck disable=SC2086 # a list of package names
        install_packages "$manager" $packages ||
            die "could not install $packages with $manager; it $(purpose_of "$thing")." \
                "Install $packages by hand (the lines above say why it failed), then try again."
        hash -r
        is_there "$thing" ||
            die "$packages is installed, but $thing is still not found on PATH." \
                "It $(purpose_of "$thing"). Put it on PATH, then try again."
    done
}

# ---- Rust ----------------------------------------------------------------------------------------

minimal_rust() {
    local line
    while IFS= read -r line; do
        case $line in
            'rust-version = "'*)
                line=${line#*\"}
                echo "${line%%\"*}"
                return
                ;;
        esac
    done <"$root/Cargo.toml"
}

# older A B: whether version A is older than version B (compares major and minor number).
older() {
    local a=${1%%[-+ ]*} b=$2
    local a_rest=${a#*.} b_rest=${b#*.}
    [ "${a%%.*}" -lt "${b%%.*}" ] ||
        { [ "${a%%.*}" -eq "${b%%.*}" ] && [ "${a_rest%%.*}" -lt "${b_rest%%.*}" ]; }
}

# need_rust does not install Rust, because the choice of a toolchain is the user's.
need_rust() {
    local wanted found
    wanted=$(minimal_rust)
    # A shell that was started before rustup was installed does not have rustup's folder on PATH.
    have cargo || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    { have cargo && have rustc; } || die "Rust is missing. Install rustup as https://rustup.rs says" \
        "(or the package rustup of your system), open a new shell, and try again;" \
        "version $wanted or newer is needed."
    found=$(rustc --version 2>/dev/null) || die "rustc is installed but does not start;" \
        "with rustup, \`rustup default stable\` sets a toolchain."
    found=${found#rustc }
    found=${found%% *}
    ! older "$found" "$wanted" || die "Rust $found is too old, version $wanted or newer is needed;" \
        "with rustup, \`rustup update stable\` brings it."
}

# need_component cargo-SUBCOMMAND COMPONENT
need_component() {
    ! cargo "${1#cargo-}" --version >/dev/null 2>&1 || return 0
    have rustup || die "cargo ${1#cargo-} is missing: install your system's package for it ($2)."
    say "installing $2 with rustup"
    limited 60 rustup component add "$2" >&2 ||
        die "rustup could not install $2: see \`rustup component add $2\`."
}

# need_cargo_tool NAME VERSION BINARY INSTALL-ARGUMENT...: installs a program from crates.io into
# `tools_dir`.
need_cargo_tool() {
    local name=$1 version=$2 binary=$3
    shift 3
    case $("$tools_dir/bin/$binary" --version 2>/dev/null) in
        *" $version") return ;;
    esac
    need cxx
    say "building $name $version into $tools_dir (once; takes some minutes)"
    # The target folder is not the project's, because no results can be shared. The options favour a
    # quick build, because these programs run only for seconds.
    CARGO_TARGET_DIR=$tools_dir/target CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
        cargo install "$name" --quiet --version "$version" --root "$tools_dir" "$@" >&2
    rm -rf "$tools_dir/target"
}

# The packages of the programs that make up the playground, each compiled on its own: compiled together
# they would have other features, and be compiled again.
web_packages=(web web-trainer)

# need_site_tool: builds the program that puts the site together (web/site), once and after each change
# of it; sets `site_tool`.
need_site_tool() {
    need_rust
    local wanted has
    wanted=$(locked_version wasm-bindgen)
    has=$(locked_version wasm-bindgen-cli-support web/site)
    [ "$wanted" = "$has" ] || die "Cargo.lock has wasm-bindgen $wanted, web/site/Cargo.lock $has;" \
        "write =$wanted into web/site/Cargo.toml, then run \`cargo update --manifest-path web/site/Cargo.toml\`."
    site_tool=$target_dir/site-tool/release/site
    [ -e "$site_tool" ] || say "building the tool that puts the site together (once, a minute or two)"
    # The names of the target folder and of the folder of build results are set for this build alone,
    # which shares nothing with the project's.
    CARGO_TARGET_DIR=$target_dir/site-tool cargo build --quiet --release --locked \
        --manifest-path "$root/web/site/Cargo.toml" >&2
}

# need_wasm_opt: sets `wasm_opt`, the program that makes WebAssembly smaller. Version 108 (Debian 12,
# Ubuntu 24.04) writes the export of a second table incorrectly, and the page does not start, so the
# system's is used from version 116 on. Otherwise npm brings it, ready to run with Node, in seconds;
# compiling it from C++ takes a dozen minutes.
wasm_opt_wanted=116
need_wasm_opt() {
    local found folder=$tools_dir/binaryen-$wasm_opt_wanted
    found=$(wasm-opt --version 2>/dev/null) || found=""
    found=${found#*version }
    found=${found%%[!0-9]*}
    if [ "${found:-0}" -ge "$wasm_opt_wanted" ]; then
        wasm_opt=wasm-opt
        return
    fi
    # An earlier version of this script compiled it.
    wasm_opt=$tools_dir/bin/wasm-opt
    ! runs_wasm_opt || return 0
    wasm_opt=$folder/node_modules/.bin/wasm-opt
    ! runs_wasm_opt || return 0
    if have npm || (need node); then
        say "installing wasm-opt $wasm_opt_wanted with npm into $folder (once)"
        mkdir -p "$folder"
        if limited 300 npm install --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts \
            "binaryen@$wasm_opt_wanted.0.0" >&2 && runs_wasm_opt; then
            return
        fi
    fi
    say "npm could not install wasm-opt (see above); compiling it instead"
    need_cargo_tool wasm-opt "0.$wasm_opt_wanted.1" wasm-opt --locked
    wasm_opt=$tools_dir/bin/wasm-opt
}

runs_wasm_opt() { [ -e "$wasm_opt" ] && "$wasm_opt" --version >/dev/null 2>&1; }

# need_emscripten: finds or installs the compiler of the emulator. Without it the page is built without Atari games,
# so a failure is not an error.
need_emscripten() {
    # Arch puts it into a folder that is on PATH only after the next login.
    have emcc || PATH=$PATH:/usr/lib/emscripten
    have emcc || (need emcc) || {
        say "the page is built without Atari games, because emscripten is missing (see above)"
        return 1
    }
    hash -r
}

# locked_version CRATE [FOLDER]: prints the crate's version in the lock file of the repository, or of a
# folder in it.
locked_version() {
    sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"/\1/p;}" "$root/${2:-.}/Cargo.lock"
}
