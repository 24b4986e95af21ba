/*
 * metrics.h - counters that all processes share: one mmapped file of atomic 64-bit cells.
 *
 * A counter is added to by any process and read by any; nothing is summed and nothing is lost when a process dies. The file
 * survives restarts (Prometheus counters may, but need not, start at 0).
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Plain counters: enum, Prometheus name, labels or "", help. */
#define METRICS_TABLE(X)                                                                                                     \
	X(M_UPLOADS_TOTAL,     "waveforge_tus_uploads_total",     "", "Uploads begun: tus uploads, chunks, single-request uploads")   \
	X(M_UPLOADS_COMPLETED, "waveforge_tus_uploads_completed", "", "Uploads of which every byte is durable")                       \
	X(M_UPLOADS_FAILED,    "waveforge_tus_uploads_failed",    "", "Uploads that ended without completing: cancelled or expired")   \
	X(M_RESUME_COUNT,      "waveforge_tus_resume_count",      "", "Uploads that went on after an interruption")                    \
	X(M_CHUNKS_TUS,        "waveforge_chunks_total", "method=\"tus\"",    "Complete chunks by method")                            \
	X(M_CHUNKS_CUSTOM,     "waveforge_chunks_total", "method=\"custom\"", "Complete chunks by method")                            \
	X(M_BYTES_RECEIVED,    "waveforge_received_bytes_total",  "", "Bytes made durable")                                            \
	X(M_BYTES_JOINED,      "waveforge_joined_bytes_total",    "", "Bytes copied to finish files (0 if all chunks were placed)")     \
	X(M_HANDOVERS,         "waveforge_handovers_total",       "", "Uploads taken over from another request")                       \
	X(M_FINISHED,          "waveforge_finished_files_total",  "", "Finished files")                                                \
	X(M_RECOVERED,         "waveforge_recovered_files_total", "", "Files finished by the reaper")                                  \
	X(M_LOG_WARN,          "waveforge_log_lines_total", "level=\"warning\"", "Log lines by level")                                \
	X(M_LOG_ERROR,         "waveforge_log_lines_total", "level=\"error\"",   "Log lines by level")

#define METRICS_ENUM(e, name, labels, help) e,
enum metric { METRICS_TABLE(METRICS_ENUM) M__MAX };
#undef METRICS_ENUM

struct metrics;

/* Maps file (created if absent; a file of another layout is replaced). routes: number of route labels, errs: number of errors.
 * NULL path gives private memory (tests, CGI without a run folder). NULL only if memory is out. */
struct metrics *metrics_open(const char *path, int routes);
void metrics_close(struct metrics *m);
void metrics_add(struct metrics *m, enum metric c, int64_t v);   /* m may be NULL */
int64_t metrics_get(const struct metrics *m, enum metric c);

/* One answered request: route index, method index (enum http_method value), status, duration in microseconds; err 0 or the reason (enum err). */
void metrics_request(struct metrics *m, int route, int method, int status, int64_t us, int err);

/* Prometheus text (0.0.4) of all cells: METRICS_TABLE, waveforge_http_requests_total{route,method,status},
 * waveforge_http_request_duration_seconds histogram (by route), waveforge_rejects_total{reason}. Zero cells of the last three are left out.
 * method_name and route_label give the labels. */
void metrics_text(const struct metrics *m, struct buf *out, const char *(*route_label)(int), const char *(*method_name)(int));

#endif
