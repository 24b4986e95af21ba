/*
 * handover.c - how long a newcomer waits for an upload that another request holds: through the same process, another process and plain CGI.
 *
 *   handover [--dir DIR] [--tries N] [--stopped N]      prints one line of JSON a case
 *
 * Raw FastCGI on unix sockets (no web server between), for plain CGI a process a request. N tries a case; --stopped: where the holder's process is stopped,
 * which costs LOCK_WAIT_MS each and measures mostly that. What does not hold ends the program with 1.
 */
#include "../contract/handover_kit.h"

#define WAIT_MS 300
#define STATUSES 1000

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double percentile(const double *sorted, int n, double p)
{
	int i = (int)(p * n + 0.999999) - 1;
	return sorted[i < 0 ? 0 : i];
}

/* "409:200 423:1" */
static void tally(const char *name, const int *count)
{
	printf(",\"%s\":\"", name);
	for (int i = 0, any = 0; i < STATUSES; i++)
		if (count[i]) {
			printf("%s%d:%d", any ? " " : "", i, count[i]);
			any = 1;
		}
	printf("\"");
}

static int measure(const struct doors *d, enum door newcomer, enum hand_client client, enum hand_method method, int tries)
{
	static const char *const names[] = {"same process", "other process", "plain CGI"};
	int first[STATUSES] = {0}, second[STATUSES] = {0};
	double *ms = calloc((size_t)tries, sizeof *ms);
	for (int i = 0; i < tries; i++) {
		struct hand h = {.newcomer = newcomer, .client = client, .method = method, .wait_ms = WAIT_MS};
		hand_try(d, &h);
		if (h.wrong[0]) {
			fprintf(stderr, "handover: %s, %s, %s, try %d: %s\n", names[newcomer], hand_client_names[client], hand_method_names[method], i, h.wrong);
			return 1;
		}
		ms[i] = h.ms;
		first[h.first.status]++;
		second[h.second.status]++;
	}
	qsort(ms, (size_t)tries, sizeof *ms, by_value);
	printf("{\"newcomer\":\"%s\",\"holder\":\"%s\",\"method\":\"%s\",\"tries\":%d,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f", names[newcomer],
		hand_client_names[client], hand_method_names[method], tries, percentile(ms, tries, 0.5), percentile(ms, tries, 0.99), ms[tries - 1]);
	tally("newcomer_told", second);
	tally("holder_told", first);
	printf("}\n");
	fflush(stdout);
	free(ms);
	return 0;
}

int main(int argc, char **argv)
{
	static struct doors d;
	const char *top = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	int tries = 200, stopped = 20, rc = 0;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--dir"))
			top = argv[i + 1];
		else if (!strcmp(argv[i], "--tries"))
			tries = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--stopped"))
			stopped = atoi(argv[i + 1]);
	}
	doors_open(&d, top, WAIT_MS);
	for (int door = DOOR_A; door <= DOOR_CGI && !rc; door++)
		for (int client = 0; client < HAND_CLIENT__MAX && !rc; client++) {
			int n = client == HAND_STOPPED ? stopped : tries;
			if (client == HAND_STOPPED && door == DOOR_A)   /* nobody is there to come to */
				continue;
			for (int m = 0; m < HAND_METHOD__MAX && n > 0 && !rc; m++)
				rc = measure(&d, (enum door)door, (enum hand_client)client, (enum hand_method)m, n);
		}
	doors_close(&d);
	return rc;
}
