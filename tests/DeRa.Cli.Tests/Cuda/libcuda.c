// A stand-in for libcuda.so.1: lets the CUDA host path run end to end on a machine without a GPU: discovery of devices, allocation, copies, modules,
// launches, streams, graphs, errors. "Device" memory is host memory, so copies and fills are real; kernels are not executed, so every result of one is
// zeros. It says nothing about what a kernel computes.
//
//   cc -shared -fPIC -O1 -o libcuda.so.1 libcuda.c launches.c          with -DWITHOUT_GRAPHS: a driver that has no graph functions
//
//   DERA_STUB_LOG     a file that receives a line per event; kernels with what identifies a launch: device, target, name, grid, block, bytes of shared
//                     memory, a hash of the arguments, number of the stream
//                       launch …           a kernel launched by itself        capture ID N      a graph of N kernels was recorded
//                       graph ID N         a graph was launched, N lines of   destroy ID        an executable graph was destroyed
//                       node …             a kernel of a graph                illegal NAME      a call that a capture does not allow
//                       copy N HASH        N bytes of page-locked memory reached the device
//                       pin BYTES          host memory was page-locked        unpin
//                       free BYTES HASH    with DERA_STUB_CONTENTS: what freed memory held; and at the end   peak BYTES
//   DERA_STUB_DEVICES  compute capabilities of the devices, 9.0,7.5 if unset
//   DERA_STUB_DRIVER   the driver's version, 12040 if unset
//   DERA_STUB_PINS     how many times memory can be page-locked, always if unset
//   DERA_STUB_MEMORY  bytes that all allocations together may take, 8 GiB if unset
//   DERA_STUB_FAIL    a kernel, counted from 1 as they run, that fails: at its launch, or in a graph at the next synchronisation
//   DERA_STUB_COPIES  late: page-locked memory is read when something waits for the device, as late as a device may
//   DERA_STUB_REFUSES  a target whose code cannot be loaded
//   DERA_STUB_REGISTERS  registers that every kernel is said to have, 168 if unset
//   DERA_STUB_GRAPHS  what fails of graphs: begin, node (a launch that is captured), end, instantiate or launch
//
// Addresses depend on nothing but the order and sizes of allocations, so that hashes of arguments can be compared from run to run.
#define _GNU_SOURCE
#include "libcuda.h"
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>

enum { MOST_DEVICES = 8 };

int failed;
_Thread_local int current, capturing, invalid;
static size_t taken, peak;
static pthread_mutex_t memory = PTHREAD_MUTEX_INITIALIZER; // two devices are used by two threads

static size_t limit(void)
{
    const char *text = getenv("DERA_STUB_MEMORY");
    return text ? strtoull(text, NULL, 10) : (size_t)8 << 30;
}

FILE *log_file(void)
{
    static FILE *file;
    static int opened;
    if (!opened) {
        const char *path = getenv("DERA_STUB_LOG");
        file = path ? fopen(path, "a") : NULL;
        opened = 1;
    }
    return file;
}

void note(const char *format, ...)
{
    FILE *file = log_file();
    va_list values;
    if (!file)
        return;
    va_start(values, format);
    flockfile(file);
    vfprintf(file, format, values);
    fputc('\n', file);
    fflush(file);
    funlockfile(file);
    va_end(values);
}

unsigned long long hash(const unsigned char *bytes, size_t count)
{
    unsigned long long value = 14695981039346656037u; // FNV-1a
    for (size_t i = 0; i < count; i++)
        value = (value ^ bytes[i]) * 1099511628211u;
    return value;
}

// What a capture does not allow ends it, as with the driver: the error shows here and when the capture is ended.
Result illegal(const char *call)
{
    note("illegal %s", call);
    invalid = 1;
    return CAPTURE_UNSUPPORTED;
}

// ---- driver and devices ------------------------------------------------------------------------------------------

static struct { int major, minor; } capability[MOST_DEVICES];

// How many devices there are.
static int devices(void)
{
    const char *text = getenv("DERA_STUB_DEVICES");
    int count = 0, length;
    for (text = text ? text : "9.0,7.5"; count < MOST_DEVICES; text += length + 1, count++) {
        if (sscanf(text, "%d.%d%n", &capability[count].major, &capability[count].minor, &length) != 2)
            break;
        if (!text[length])
            return count + 1;
    }
    return count;
}

OK(cuInit(int flags))
Result cuDriverGetVersion(int *version) { *version = getenv("DERA_STUB_DRIVER") ? atoi(getenv("DERA_STUB_DRIVER")) : 12040; return SUCCESS; }
Result cuDeviceGetCount(int *count) { *count = devices(); return SUCCESS; }
Result cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal < devices() ? SUCCESS : INVALID_DEVICE; }
Result cuDeviceGetName(char *name, int size, int device)
{
    snprintf(name, (size_t)size, "Stub of sm_%d%d", capability[device].major, capability[device].minor);
    return SUCCESS;
}
Result cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = limit(); return SUCCESS; }
Result cuDeviceComputeCapability(int *major, int *minor, int device)
{
    *major = capability[device].major;
    *minor = capability[device].minor;
    return SUCCESS;
}
Result cuDeviceCanAccessPeer(int *can, int device, int peer) { *can = 0; return SUCCESS; }

Result cuDeviceGetAttribute(int *value, int attribute, int device)
{
    switch (attribute) {
    case 1: case 2: case 3: *value = 1024; break;       // threads per block, block dimension x, y
    case 4: *value = 64; break;                         // block dimension z
    case 5: *value = 2147483647; break;                 // grid dimension x
    case 6: case 7: *value = 65535; break;              // grid dimension y, z
    case 8: *value = 48 << 10; break;                   // shared memory per block
    case 10: *value = 32; break;                        // warp size
    case 16: *value = device ? 40 : 132; break;         // multiprocessors
    case 33: *value = 1 + device; break;                // PCI bus: tells devices apart
    case 39: *value = 2048; break;                      // threads per multiprocessor
    case 75: *value = capability[device].major; break;  // compute capability, major
    case 76: *value = capability[device].minor; break;  // minor
    case 81: *value = 228 << 10; break;                 // shared memory per multiprocessor
    case 97: *value = 227 << 10; break;                 // shared memory per block, opt-in
    default: *value = 1; break;
    }
    return SUCCESS;
}

// ---- contexts: a handle is the device's number plus 16 -----------------------------------------------------------

Result cuCtxCreate_v2(void **context, int flags, int device)
{
    *context = (void *)(intptr_t)(16 + device);
    current = device;
    return SUCCESS;
}
OK(cuCtxDestroy_v2(void *context))
Result cuCtxSetCurrent(void *context) { if (context) current = (int)(intptr_t)context - 16; return SUCCESS; }
Result cuCtxSynchronize(void) { NOT_WHILE_CAPTURING("cuCtxSynchronize"); finish_copies(); return failed; }
Result cuCtxGetCacheConfig(int *config) { *config = 0; return SUCCESS; }
OK(cuCtxSetCacheConfig(int config))
Result cuCtxGetSharedMemConfig(int *config) { *config = 0; return SUCCESS; }
OK(cuCtxSetSharedMemConfig(int config))
OK(cuCtxEnablePeerAccess(void *context, int flags))
OK(cuCtxDisablePeerAccess(void *context))
Result cuGetErrorString(int error, const char **text)
{
    *text = error == OUT_OF_MEMORY ? "out of memory"
        : error == LAUNCH_FAILED ? "unspecified launch failure"
        : error == NOT_SUPPORTED ? "operation not supported"
        : error == CAPTURE_UNSUPPORTED ? "operation not permitted when stream is capturing"
        : error == CAPTURE_INVALIDATED ? "operation failed due to a previous error during capture"
        : error == INVALID_PTX ? "a PTX JIT compilation failed"
        : error == CAPTURE_UNJOINED ? "capturing stream has unjoined work" : "stub error";
    return SUCCESS;
}

// ---- memory: host memory at addresses of the stub's own; what is freed is found again by its size ----------------

struct block { size_t bytes; struct block *next; };

static struct block *released(size_t bytes, struct block *put)
{
    static struct { size_t bytes; struct block *first; } sizes[4096];
    for (int i = 0; i < 4096; i++) {
        if (sizes[i].bytes && sizes[i].bytes != bytes)
            continue;
        sizes[i].bytes = bytes;
        struct block *found = sizes[i].first;
        if (put) {
            put->next = found;
            sizes[i].first = put;
        } else if (found) {
            sizes[i].first = found->next;
        }
        return found;
    }
    return NULL;
}

static Result take(void **at, size_t bytes)
{
    enum { RESERVED_GIB = 64 };
    static char *end, *arena;
    if (!arena) {
        arena = end = mmap((void *)0x500000000000, (size_t)RESERVED_GIB << 30, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    }
    if (taken + bytes > limit() || arena == MAP_FAILED) {
        note("out of memory");
        return OUT_OF_MEMORY;
    }
    size_t whole = 256 + (bytes + 255) / 256 * 256;
    struct block *block = released(whole, NULL);
    if (!block) {
        block = (struct block *)end;
        end += whole;
        if (end > arena + ((size_t)RESERVED_GIB << 30))
            return OUT_OF_MEMORY;
    }
    block->bytes = bytes;
    taken += bytes;
    peak = taken > peak ? taken : peak;
    *at = (char *)block + 256;
    return SUCCESS;
}
Result cuMemAlloc_v2(void **at, size_t bytes)
{
    NOT_WHILE_CAPTURING("cuMemAlloc");
    pthread_mutex_lock(&memory);
    Result result = take(at, bytes);
    pthread_mutex_unlock(&memory);
    return result;
}
Result cuMemFree_v2(void *at)
{
    NOT_WHILE_CAPTURING("cuMemFree");
    if (at) {
        struct block *block = (struct block *)((char *)at - 256);
        if (getenv("DERA_STUB_CONTENTS"))
            note("free %zu %016llx", block->bytes, hash(at, block->bytes));
        pthread_mutex_lock(&memory);
        taken -= block->bytes;
        released(256 + (block->bytes + 255) / 256 * 256, block);
        pthread_mutex_unlock(&memory);
    }
    return SUCCESS;
}

// Page-locked memory, which copies may read late.
static struct { char *at; size_t bytes; } locked[64];
static struct copy { void *to; const void *from; size_t bytes; struct copy *next; } *first_copy, **last_copy = &first_copy;

static Result lock(void *at, size_t bytes)
{
    for (int i = 0; i < 64; i++) {
        if (locked[i].at && bytes)
            continue;
        if (bytes || locked[i].at == at) {
            locked[i].at = bytes ? at : NULL;
            locked[i].bytes = bytes;
            return SUCCESS;
        }
    }
    return OUT_OF_MEMORY;
}
static int is_locked(const char *at)
{
    for (int i = 0; i < 64; i++)
        if (locked[i].at && at >= locked[i].at && at < locked[i].at + locked[i].bytes)
            return 1;
    return 0;
}
static pthread_mutex_t copies = PTHREAD_MUTEX_INITIALIZER;

void finish_copies(void)
{
    pthread_mutex_lock(&copies);
    while (first_copy) {
        struct copy *copy = first_copy;
        if (log_file()) // the hash alone takes longer than all else of a step
            note("copy %zu %016llx", copy->bytes, hash(copy->from, copy->bytes));
        memmove(copy->to, copy->from, copy->bytes);
        first_copy = copy->next;
        free(copy);
    }
    last_copy = &first_copy;
    pthread_mutex_unlock(&copies);
}
Result cuMemAllocHost_v2(void **at, size_t bytes)
{
    NOT_WHILE_CAPTURING("cuMemAllocHost");
    *at = aligned_alloc(256, (bytes + 255) / 256 * 256);
    return *at ? lock(*at, bytes) : OUT_OF_MEMORY;
}
Result cuMemFreeHost(void *at) { NOT_WHILE_CAPTURING("cuMemFreeHost"); finish_copies(); lock(at, 0); free(at); return SUCCESS; }
Result cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { *total = limit(); *free_bytes = *total - taken; return SUCCESS; }
// Copies and fills never belong into a graph here: the driver takes some, the stub takes none.
Result cuMemcpyAsync(void *to, const void *from, size_t bytes, void *stream)
{
    static int late = -1;
    NOT_WHILE_CAPTURING("cuMemcpyAsync");
    if (late < 0)
        late = getenv("DERA_STUB_COPIES") != NULL;
    if (!is_locked(from)) {
        finish_copies();
        memmove(to, from, bytes);
        return SUCCESS;
    }
    struct copy *copy = malloc(sizeof *copy);
    *copy = (struct copy){ to, from, bytes, NULL };
    pthread_mutex_lock(&copies);
    *last_copy = copy;
    last_copy = &copy->next;
    pthread_mutex_unlock(&copies);
    if (!late)
        finish_copies();
    return SUCCESS;
}
Result cuMemsetD8Async(void *at, unsigned char value, size_t bytes, void *stream)
{
    NOT_WHILE_CAPTURING("cuMemsetD8Async");
    memset(at, value, bytes);
    return SUCCESS;
}
Result cuMemHostRegister_v2(void *at, size_t bytes, int flags)
{
    static int pins;
    const char *most = getenv("DERA_STUB_PINS");
    NOT_WHILE_CAPTURING("cuMemHostRegister");
    if ((most && pins >= atoi(most)) || lock(at, bytes) != SUCCESS)
        return OUT_OF_MEMORY;
    pins++;
    note("pin %zu", bytes);
    return SUCCESS;
}
Result cuMemHostUnregister(void *at)
{
    NOT_WHILE_CAPTURING("cuMemHostUnregister");
    finish_copies();
    if (!is_locked(at))
        return NOT_REGISTERED;
    note("unpin");
    return lock(at, 0);
}
Result cuMemHostGetDevicePointer_v2(void **device, void *host, int flags) { *device = host; return SUCCESS; }
Result cuPointerGetAttribute(void *value, int attribute, void *at) { *(int *)value = 2; return SUCCESS; }

__attribute__((destructor)) static void say_peak(void)
{
    if (getenv("DERA_STUB_CONTENTS"))
        note("peak %zu", peak);
}

// ---- modules and kernels: a function's handle is its PTX target and name -----------------------------------------

Result cuModuleLoadData(void **module, const char *ptx)
{
    const char *target = ptx ? strstr(ptx, ".target ") : NULL;
    NOT_WHILE_CAPTURING("cuModuleLoadData");
    if (!target)
        return INVALID_VALUE;
    // wgmma exists in one target, and that runs on one compute capability.
    int is_specific = !strncmp(target + 8, "sm_90a\n", 7), is_hopper = capability[current].major == 9 && capability[current].minor == 0;
    const char *refused = getenv("DERA_STUB_REFUSES");
    if ((strstr(ptx, "wgmma.") && !is_specific) || (is_specific && !is_hopper)
        || (refused && !strncmp(target + 8, refused, strlen(refused)) && target[8 + strlen(refused)] == '\n'))
        return INVALID_PTX;
    *module = strndup(target + 8, strcspn(target + 8, " ,\r\n"));
    return SUCCESS;
}
Result cuModuleLoadDataEx(void **module, const char *ptx, int n, void *options, void *values) { return cuModuleLoadData(module, ptx); }
OK(cuModuleUnload(void *module))
Result cuModuleGetFunction(void **function, void *module, const char *name)
{
    char *text = malloc(strlen(name) + strlen(module) + 2);
    sprintf(text, "%s %s", (const char *)module, name);
    *function = text;
    return SUCCESS;
}

// Of the kernels that asked for more shared memory than every kernel has, how much.
static struct { const char *function; int bytes; } asked[16];

Result cuFuncSetAttribute(const char *function, int attribute, int value)
{
    if (attribute != MAX_DYNAMIC_SHARED_BYTES || value > 227 << 10)
        return INVALID_VALUE;
    for (int i = 0; i < 16; i++) {
        if (asked[i].function && asked[i].function != function)
            continue;
        asked[i].function = function;
        asked[i].bytes = value;
        return SUCCESS;
    }
    return OUT_OF_MEMORY;
}
Result cuFuncGetAttribute(int *value, int attribute, const char *function)
{
    *value = getenv("DERA_STUB_REGISTERS") ? atoi(getenv("DERA_STUB_REGISTERS")) : 168;
    return attribute == NUMBER_OF_REGISTERS ? SUCCESS : INVALID_VALUE;
}
int may_share(const char *function, int bytes)
{
    for (int i = 0; i < 16; i++)
        if (asked[i].function == function)
            return bytes <= asked[i].bytes;
    return bytes <= 48 << 10;
}
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *f, int threads, size_t shared) { *blocks = 2; return SUCCESS; }
Result cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *f, void *callback, size_t shared, int most)
{
    *grid = 132;
    *block = 256;
    return SUCCESS;
}
