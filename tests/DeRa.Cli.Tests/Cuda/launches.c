// Launches, streams and graphs of the stub driver.
#include "libcuda.h"

enum { MOST_STREAMS = 16 };

// A stream takes part in a capture from its beginning, or from its wait for an event of a stream that does; what it launches then has to be waited for
// by the stream that began the capture before that ends it.
struct stream { int number, unjoined; struct graph *capture; };
struct event { struct stream *of; struct graph *capture; int launches; };
static struct stream streams[MOST_STREAMS];
static _Thread_local struct stream *origin; // the stream that this thread's capture began on
static int launches, stream_count, graph_count;

static int fails(const char *what)
{
    const char *failing = getenv("DERA_STUB_GRAPHS");
    return failing && !strcmp(failing, what);
}

// A kernel runs, by itself or in a graph.
static Result execute(const char *kind, const struct node *node)
{
    static int failing = -1;
    if (failing < 0)
        failing = getenv("DERA_STUB_FAIL") ? atoi(getenv("DERA_STUB_FAIL")) : 0;
    if (log_file())
        note("%s %d %s", kind, current, node->text);
    if (++launches == failing)
        failed = LAUNCH_FAILED;
    return failed;
}

// Arguments come in one buffer: extra is { 1, buffer, 2, &bytes, 0 }.
Result cuLaunchKernel(const char *function, int gx, int gy, int gz, int bx, int by, int bz, int shared_bytes,
    struct stream *stream, void **parameters, void **extra)
{
    struct node node;
    if (gx < 1 || gy < 1 || gz < 1 || bx * by * bz < 1 || bx * by * bz > 1024 || parameters || !extra || !may_share(function, shared_bytes))
        return INVALID_VALUE;
    if (log_file())
        snprintf(node.text, sizeof node.text, "%s %d %d %d %016llx s%d", function, gx, bx, shared_bytes, hash(extra[1], *(size_t *)extra[3]), stream->number);
    struct graph *graph = stream->capture;
    if (!graph)
        return execute("launch", &node);
    if (fails("node"))
        return INVALID_VALUE;
    if (graph->count % 64 == 0)
        graph->nodes = realloc(graph->nodes, (graph->count + 64) * sizeof node);
    graph->nodes[graph->count++] = node;
    stream->unjoined++;
    return SUCCESS;
}

// ---- streams and events ------------------------------------------------------------------------------------------

Result cuStreamCreate(struct stream **stream, int flags)
{
    if (stream_count == MOST_STREAMS)
        return OUT_OF_MEMORY;
    *stream = &streams[stream_count];
    (*stream)->number = stream_count++;
    return SUCCESS;
}
Result cuStreamCreateWithPriority(struct stream **stream, int flags, int priority) { return cuStreamCreate(stream, flags); }
OK(cuStreamDestroy_v2(void *stream))
Result cuStreamSynchronize(struct stream *stream)
{
    if (stream && stream->capture)
        return illegal("cuStreamSynchronize");
    finish_copies();
    return failed;
}
Result cuStreamWaitEvent(struct stream *stream, struct event *event, unsigned flags)
{
    if (!event->capture)
        return stream->capture ? illegal("cuStreamWaitEvent for an event outside the capture") : SUCCESS;
    if (stream->capture && stream->capture != event->capture)
        return illegal("cuStreamWaitEvent across captures");
    stream->capture = event->capture;
    if (stream == origin && event->of->unjoined == event->launches)
        event->of->unjoined = 0;
    else if (stream != origin)
        stream->unjoined++; // until it is waited for itself
    return SUCCESS;
}
Result cuEventCreate(struct event **event, int flags) { *event = calloc(1, sizeof **event); return SUCCESS; }
Result cuEventDestroy_v2(struct event *event) { free(event); return SUCCESS; }
Result cuEventQuery(struct event *event) { return event->capture ? illegal("cuEventQuery") : SUCCESS; }
Result cuEventRecord(struct event *event, struct stream *stream)
{
    event->of = stream;
    event->capture = stream ? stream->capture : NULL;
    event->launches = stream ? stream->unjoined : 0;
    return SUCCESS;
}
Result cuEventSynchronize(struct event *event) { return event->capture ? illegal("cuEventSynchronize") : SUCCESS; }
Result cuEventElapsedTime(float *ms, void *from, void *to) { *ms = 1; return SUCCESS; }

// ---- graphs: only kernels, in the order of their launches --------------------------------------------------------

#ifndef WITHOUT_GRAPHS

Result cuStreamBeginCapture_v2(struct stream *stream, int mode)
{
    if (fails("begin"))
        return NOT_SUPPORTED;
    if (!stream)
        return CAPTURE_UNSUPPORTED; // the default stream
    if (stream->capture || capturing)
        return ILLEGAL_STATE;
    if (mode < 0 || mode > 2)
        return INVALID_VALUE;
    stream->capture = calloc(1, sizeof *stream->capture);
    stream->unjoined = 0;
    capturing = 1;
    origin = stream;
    invalid = 0;
    return SUCCESS;
}
Result cuStreamEndCapture(struct stream *stream, struct graph **graph)
{
    int unjoined = 0;
    *graph = NULL;
    if (!stream || !stream->capture || stream != origin)
        return ILLEGAL_STATE;
    struct graph *made = stream->capture;
    for (int i = 0; i < stream_count; i++) {
        if (streams[i].capture != made)
            continue;
        unjoined |= &streams[i] != stream && streams[i].unjoined;
        streams[i].capture = NULL;
        streams[i].unjoined = 0;
    }
    capturing = 0;
    origin = NULL;
    if (invalid || unjoined || fails("end"))
        return unjoined ? CAPTURE_UNJOINED : CAPTURE_INVALIDATED;
    made->number = ++graph_count;
    note("capture %d %d", made->number, made->count);
    *graph = made;
    return SUCCESS;
}
Result cuGraphInstantiateWithFlags(struct graph **executable, struct graph *graph, unsigned long long flags)
{
    if (fails("instantiate"))
        return OUT_OF_MEMORY;
    *executable = malloc(sizeof **executable);
    **executable = *graph;
    (*executable)->nodes = memcpy(malloc(graph->count * sizeof *graph->nodes), graph->nodes, graph->count * sizeof *graph->nodes);
    return SUCCESS;
}
// What fails in a graph is known when something waits for it.
Result cuGraphLaunch(const struct graph *executable, struct stream *stream)
{
    if (fails("launch"))
        return OUT_OF_MEMORY;
    if (failed || stream->capture)
        return failed ? failed : CAPTURE_UNSUPPORTED;
    note("graph %d %d", executable->number, executable->count);
    for (int i = 0; i < executable->count; i++)
        execute("node", &executable->nodes[i]);
    return SUCCESS;
}
Result cuGraphDestroy(struct graph *graph)
{
    free(graph->nodes);
    free(graph);
    return SUCCESS;
}
Result cuGraphExecDestroy(struct graph *executable)
{
    note("destroy %d", executable->number);
    return cuGraphDestroy(executable);
}

#endif
