// A stand-in for libcuda.so.1: lets the CUDA host path run end to end on a machine without a GPU: discovery of two devices, allocation, copies, modules,
// launches, streams, errors. "Device" memory is host memory, so copies and fills are real; kernels are not executed, so every result of one is zeros.
// It says nothing about what a kernel computes.
//
//   cc -shared -fPIC -O1 -o libcuda.so.1 libcuda.c
//
//   DERA_STUB_LOG     a file that receives a line per launch: device, kernel's name, grid, block, bytes of shared memory; and per failed call
//   DERA_STUB_MEMORY  bytes that all allocations together may take, 8 GiB if unset
//   DERA_STUB_FAIL    a launch number, counted from 1, that fails
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;
enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, LAUNCH_FAILED = 719 };
enum { DEVICES = 2 };
#define OK(signature) Result signature { return SUCCESS; }

static size_t taken;
static int launches, current;

struct block { size_t bytes; };

static size_t limit(void)
{
    const char *text = getenv("DERA_STUB_MEMORY");
    return text ? strtoull(text, NULL, 10) : (size_t)8 << 30;
}

static void note(const char *line)
{
    const char *path = getenv("DERA_STUB_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
}

// ---- driver and devices ------------------------------------------------------------------------------------------

OK(cuInit(int flags))
Result cuDriverGetVersion(int *version) { *version = 12040; return SUCCESS; }
Result cuDeviceGetCount(int *count) { *count = DEVICES; return SUCCESS; }
Result cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal < DEVICES ? SUCCESS : INVALID_DEVICE; }
Result cuDeviceGetName(char *name, int size, int device)
{
    snprintf(name, (size_t)size, device ? "Stub of sm_75" : "Stub of sm_90");
    return SUCCESS;
}
Result cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = limit(); return SUCCESS; }
Result cuDeviceComputeCapability(int *major, int *minor, int device)
{
    *major = device ? 7 : 9;
    *minor = device ? 5 : 0;
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
    case 75: *value = device ? 7 : 9; break;            // compute capability, major
    case 76: *value = device ? 5 : 0; break;            // minor
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
OK(cuCtxSynchronize(void))
Result cuCtxGetCacheConfig(int *config) { *config = 0; return SUCCESS; }
OK(cuCtxSetCacheConfig(int config))
Result cuCtxGetSharedMemConfig(int *config) { *config = 0; return SUCCESS; }
OK(cuCtxSetSharedMemConfig(int config))
OK(cuCtxEnablePeerAccess(void *context, int flags))
OK(cuCtxDisablePeerAccess(void *context))
Result cuGetErrorString(int error, const char **text)
{
    *text = error == OUT_OF_MEMORY ? "out of memory" : error == LAUNCH_FAILED ? "unspecified launch failure" : "stub error";
    return SUCCESS;
}

// ---- memory: host memory, aligned like cuMemAlloc's, its size before it ------------------------------------------

Result cuMemAlloc_v2(void **at, size_t bytes)
{
    if (taken + bytes > limit()) {
        note("out of memory");
        return OUT_OF_MEMORY;
    }
    char *memory = aligned_alloc(256, 256 + (bytes + 255) / 256 * 256);
    if (!memory)
        return OUT_OF_MEMORY;
    ((struct block *)memory)->bytes = bytes;
    taken += bytes;
    *at = memory + 256;
    return SUCCESS;
}
Result cuMemFree_v2(void *at)
{
    if (at) {
        struct block *block = (struct block *)((char *)at - 256);
        taken -= block->bytes;
        free(block);
    }
    return SUCCESS;
}
Result cuMemAllocHost_v2(void **at, size_t bytes) { *at = aligned_alloc(256, (bytes + 255) / 256 * 256); return *at ? SUCCESS : OUT_OF_MEMORY; }
Result cuMemFreeHost(void *at) { free(at); return SUCCESS; }
Result cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { *total = limit(); *free_bytes = *total - taken; return SUCCESS; }
Result cuMemcpyAsync(void *to, const void *from, size_t bytes, void *stream) { memmove(to, from, bytes); return SUCCESS; }
Result cuMemsetD8Async(void *at, unsigned char value, size_t bytes, void *stream) { memset(at, value, bytes); return SUCCESS; }
OK(cuMemHostRegister_v2(void *at, size_t bytes, int flags))
OK(cuMemHostUnregister(void *at))
Result cuMemHostGetDevicePointer_v2(void **device, void *host, int flags) { *device = host; return SUCCESS; }
Result cuPointerGetAttribute(void *value, int attribute, void *at) { *(int *)value = 2; return SUCCESS; }

// ---- modules and kernels: a function's handle is its PTX target and name -----------------------------------------

Result cuModuleLoadData(void **module, const char *ptx)
{
    const char *target = ptx ? strstr(ptx, ".target ") : NULL;
    if (!target)
        return INVALID_VALUE;
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
OK(cuFuncSetAttribute(void *function, int attribute, int value))
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *f, int threads, size_t shared) { *blocks = 2; return SUCCESS; }
Result cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *f, void *callback, size_t shared, int most)
{
    *grid = 132;
    *block = 256;
    return SUCCESS;
}

Result cuLaunchKernel(const char *function, int gx, int gy, int gz, int bx, int by, int bz, int shared_bytes,
    void *stream, void **parameters, void **extra)
{
    const char *failing = getenv("DERA_STUB_FAIL");
    char line[512];
    if (gx < 1 || gy < 1 || gz < 1 || bx * by * bz < 1 || bx * by * bz > 1024)
        return INVALID_VALUE;
    snprintf(line, sizeof line, "launch %d %s %d %d %d", current, function, gx, bx, shared_bytes);
    note(line);
    return ++launches == (failing ? atoi(failing) : 0) ? LAUNCH_FAILED : SUCCESS;
}

// ---- streams and events ------------------------------------------------------------------------------------------

Result cuStreamCreate(void **stream, int flags) { *stream = (void *)0x20; return SUCCESS; }
Result cuStreamCreateWithPriority(void **stream, int flags, int priority) { return cuStreamCreate(stream, flags); }
OK(cuStreamDestroy_v2(void *stream))
OK(cuStreamSynchronize(void *stream))
Result cuEventCreate(void **event, int flags) { *event = (void *)0x50; return SUCCESS; }
OK(cuEventDestroy_v2(void *event))
OK(cuEventQuery(void *event))
OK(cuEventRecord(void *event, void *stream))
OK(cuEventSynchronize(void *event))
Result cuEventElapsedTime(float *ms, void *from, void *to) { *ms = 1; return SUCCESS; }
