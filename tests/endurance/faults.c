/* A library for LD_PRELOAD that makes one call of the file system fail.
 *
 * FAULT_UNDER   only calls on paths with this beginning count, and on files that were opened by such a path
 * FAULT_AT      number of the call that fails, from 1; without it, none
 * FAULT_ERRNO   errno of the failure
 * FAULT_STICKY  all later calls that write fail, too, as on a full disk
 * FAULT_COUNT   file to which the number of calls is written at the end
 * FAULT_FLOCK   errno with which every flock fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long count;
static char under[PATH_MAX];
static long fail_at, fail_errno, sticky;

__attribute__((constructor)) static void start(void) {
    const char *text = getenv("FAULT_UNDER");
    if (text) snprintf(under, sizeof under, "%s", text);
    fail_at = (text = getenv("FAULT_AT")) ? atol(text) : 0;
    fail_errno = (text = getenv("FAULT_ERRNO")) ? atol(text) : EIO;
    sticky = getenv("FAULT_STICKY") != NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNT");
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (!path) return;
    int fd = real_open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    char text[32];
    if (fd >= 0 && real_write(fd, text, snprintf(text, sizeof text, "%ld\n", __atomic_load_n(&count, __ATOMIC_SEQ_CST))) < 0) return;
}

/* Whether a path is in the folder. Relative paths count by their absolute form. */
static int path_counts(const char *path) {
    char whole[PATH_MAX * 2];
    if (!under[0] || !path) return 0;
    if (path[0] != '/') {
        char folder[PATH_MAX];
        if (!getcwd(folder, sizeof folder)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", folder, path);
        path = whole;
    }
    return strncmp(path, under, strlen(under)) == 0;
}

static int fd_counts(int fd) {
    char link[64], path[PATH_MAX];
    if (!under[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    return path_counts(path);
}

/* Counts one call; whether it must fail. */
static int fails(int counts) {
    if (!counts) return 0;
    long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (fail_at && (number == fail_at || (sticky && number > fail_at))) {
        errno = (int)fail_errno;
        return 1;
    }
    return 0;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define WRITES(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR))

/* Both names of the same call. */
#define OPENS(name)                                                                                        \
    int name(const char *path, int flags, ...) {                                                           \
        va_list list;                                                                                      \
        va_start(list, flags);                                                                             \
        mode_t mode = va_arg(list, mode_t);                                                                \
        va_end(list);                                                                                      \
        REAL(name);                                                                                        \
        return fails(WRITES(flags) && path_counts(path)) ? -1 : real(path, flags, mode);                   \
    }
OPENS(open)
OPENS(open64)
ssize_t write(int fd, const void *bytes, size_t len) {
    REAL(write);
    return fails(fd_counts(fd)) ? -1 : real(fd, bytes, len);
}
ssize_t writev(int fd, const struct iovec *parts, int len) {
    REAL(writev);
    return fails(fd_counts(fd)) ? -1 : real(fd, parts, len);
}
int fsync(int fd) {
    REAL(fsync);
    return fails(fd_counts(fd)) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return fails(fd_counts(fd)) ? -1 : real(fd);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails(path_counts(path)) ? -1 : real(path, mode);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return fails(path_counts(to)) ? -1 : real(from, to);
}
int unlink(const char *path) {
    REAL(unlink);
    return fails(path_counts(path)) ? -1 : real(path);
}
int unlinkat(int fd, const char *path, int flags) {
    REAL(unlinkat);
    return fails(fd_counts(fd)) ? -1 : real(fd, path, flags);
}
int rmdir(const char *path) {
    REAL(rmdir);
    return fails(path_counts(path)) ? -1 : real(path);
}
int flock(int fd, int operation) {
    const char *text = getenv("FAULT_FLOCK");
    int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    if (text) {
        errno = atoi(text);
        return -1;
    }
    return real(fd, operation);
}
