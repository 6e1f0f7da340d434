// What the parts of the stub driver share.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;
enum {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_PTX = 218, ILLEGAL_STATE = 401, NOT_REGISTERED = 713, LAUNCH_FAILED = 719, NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901, CAPTURE_UNJOINED = 904
};
enum { NUMBER_OF_REGISTERS = 4, MAX_DYNAMIC_SHARED_BYTES = 8 }; // attributes of a kernel
#define OK(signature) Result signature { return SUCCESS; }

// A kernel as it was launched; a graph is a row of them.
struct node { char text[400]; };
struct graph { int number, count; struct node *nodes; };

extern _Thread_local int current;    // the device of the context that this thread set last
extern int failed;                   // an error that every call from now on returns
extern _Thread_local int capturing;  // whether this thread captures
extern _Thread_local int invalid;    // whether that capture has met what it does not allow

FILE *log_file(void);
void note(const char *format, ...);
Result illegal(const char *call);
unsigned long long hash(const unsigned char *bytes, size_t count);
void finish_copies(void);
int may_share(const char *function, int bytes); // whether a kernel may have so much shared memory

#define NOT_WHILE_CAPTURING(call) do { if (capturing) return illegal(call); } while (0)
