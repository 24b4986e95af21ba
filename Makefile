# tus-fcgi: `make` builds, `make run` serves, `make test` runs everything. B=DIR builds into another folder.
B      ?= build
# One name for a folder, or objects made under another one would not know what they depend on.
override B := $(patsubst $(CURDIR)/%,%,$(B))
CC     ?= gcc
OPT    ?= -O2 -g
CFLAGS += -std=gnu11 $(OPT) -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wpointer-arith -D_GNU_SOURCE -pthread -MMD -MP
CPPFLAGS += -Ifcgi -I. -I$(B)/gen
LIBS    = -Wl,--as-needed -lfcgi -ljson-c -lsqlite3 -lcrypto -lz -lpthread
PREFIX ?= /usr/local

ROOMS  = base model http blob hook gateway upload proto
SRC    = $(foreach r,$(ROOMS),$(wildcard fcgi/$(r)/*.c)) $(wildcard db/*.c) $(wildcard fcgi/app*.c fcgi/routes.c fcgi/guard*.c)
OBJ    = $(SRC:%.c=$(B)/obj/%.o)
BINS   = $(B)/tus-fcgi $(B)/tusctl $(B)/upload.cgi
CTESTS = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c tests/contract/test_*.c tests/http/test_*.c tests/fault/test_*.c))

.PHONY: all clean run test ctests tools lint conformance san tsan storm power fuzz install
all: $(BINS)

$(B)/libtus.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# SQL files become C strings, so that the program carries its schema.
$(B)/gen/sql_%.h: db/%.sql
	@mkdir -p $(@D)
	scripts/sql2h $< > $@
$(patsubst %.c,$(B)/obj/%.o,$(wildcard db/*.c)): $(patsubst db/%.sql,$(B)/gen/sql_%.h,$(wildcard db/*.sql))

$(B)/tus-fcgi:   $(B)/obj/fcgi/main.o $(patsubst %.c,$(B)/obj/%.o,$(wildcard fcgi/supervise*.c)) $(B)/libtus.a
$(B)/tusctl:     $(patsubst %.c,$(B)/obj/%.o,$(wildcard fcgi/ctl*.c)) $(B)/libtus.a
$(B)/upload.cgi: $(B)/obj/cgi-bin/upload.o $(B)/libtus.a
$(BINS):
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/%: $(B)/obj/tests/%.o $(B)/libtus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# These tests run the programs themselves.
$(B)/tests/contract/test_ctl $(B)/tests/contract/test_ctl_parts $(B)/tests/contract/test_check $(B)/tests/contract/test_backup $(B)/tests/contract/test_import $(B)/tests/fault/test_import_deaths: | $(B)/tusctl
$(B)/tests/contract/test_cgi: | $(B)/upload.cgi
$(B)/tests/contract/test_supervise $(B)/tests/contract/test_supervise_hooks $(B)/tests/contract/test_slow: | $(B)/tus-fcgi
$(B)/tests/contract/test_handover: | $(B)/tus-fcgi $(B)/upload.cgi

# ... and these are linked with what stands between them and their file calls.
FAIL = $(patsubst %.c,$(B)/obj/%.o,tests/shim/shim.c tests/shim/shim_fail.c tests/shim/shim_alloc.c)
$(B)/tests/fault/test_kth $(B)/tests/fault/test_kth_batch: $(FAIL) | $(B)/tusctl
$(B)/tests/fault/test_deaths $(B)/tests/fault/test_races $(B)/tests/fault/test_backup_races $(B)/tests/fault/test_apart $(B)/tests/fault/test_join $(B)/tests/fault/test_import_deaths: $(B)/obj/tests/shim/shim.o
# The runtimes of the sanitizers call some of them before they are ready to be told of it.
$(B)/obj/tests/shim/shim.o: CFLAGS += -fno-sanitize=all

# Stands between a program and its file calls; tests/shim/shim.h.
SHIM = $(patsubst %.c,$(B)/pic/%.o,tests/shim/shim.c tests/shim/shim_kill.c tests/shim/shim_record.c tests/shim/shim_tactics.c)
$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -c -o $@ $<
$(B)/tests/shim.so: $(SHIM)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ -ldl
# Fuzz targets, driven here by seeds and small changes of them; by libFuzzer with `make fuzz FUZZ_SECONDS=n` (needs clang).
FUZZ = $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out %/fuzz_seeds.c,$(wildcard tests/fuzz/fuzz_*.c)))
$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/fuzz_seeds.o $(B)/libtus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/tests/libfuzzer/%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/libtus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
$(B)/tests/fuzz/request $(B)/tests/libfuzzer/request: $(B)/obj/tests/fuzz/told.o
FUZZ_SECONDS ?= 60
fuzz:
	scripts/install-deps build fuzz
	$(MAKE) B=$(B)-fuzz CC=clang OPT='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
		$(FUZZ:%=$(B)-fuzz/tests/libfuzzer/%)
	scripts/fuzz $(B)-fuzz $(FUZZ_SECONDS) $(FUZZ)

# Prints the rows of a ledger.
$(B)/tests/rows: tests/storm/rows.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< -lsqlite3

# Processes killed at every call that matters, under load, for SECONDS; tests/storm/storm.mjs.
SECONDS ?= 60
storm: all tools
	TUS_BUILD=$(B) node tests/storm/storm.mjs --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

$(B)/tests/cut: tests/power/cut.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

# The power is cut under load, ROUNDS times a level; tests/power/power.mjs.
ROUNDS ?= 20
power: all tools
	TUS_BUILD=$(B) node tests/power/power.mjs --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) || [ $$? = 77 ]
	TUS_BUILD=$(B) node tests/power/replay.mjs $(if $(SEED),--seed $(SEED))

# What the suites in JavaScript put beside the programs.
tools: $(B)/tests/shim.so $(B)/tests/rows $(B)/tests/cut
ctests: $(CTESTS) $(FUZZ:%=$(B)/tests/fuzz/%)

# The conformance suite against this server and a rival, as a table (Markdown); who fails each check.
conformance: all tests/conformance/rivals/node_modules/.package-lock.json
	TUS_BUILD=$(B) node tests/conformance/rivals/table.mjs
tests/conformance/rivals/node_modules/.package-lock.json: tests/conformance/rivals/package-lock.json
	cd $(<D) && npm ci --no-audit --no-fund >&2

# Figures: HEAD behind silent clients, hand-over, commits a second, checksums. RUNS=3 is how often each is taken; for a quiet machine.
bench: $(BINS) $(B)/tests/bench/commit $(B)/tests/bench/handover
	node tests/bench/bench.mjs --build $(B) --runs $(or $(RUNS),3)

# All tests under the address and undefined-behaviour sanitizers, in a folder of its own; and those with threads under the thread sanitizer.
SAN = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
san:
	$(MAKE) B=$(B)-san OPT='-O1 -g $(SAN)' LDFLAGS='$(SAN)' all ctests
	scripts/sanitized $(B)-san $(SAN_E2E)
SAN_E2E ?= all
tsan:
	$(MAKE) B=$(B)-tsan OPT='-O1 -g -fsanitize=thread' LDFLAGS='-fsanitize=thread' all ctests
	scripts/sanitized $(B)-tsan $(TSAN_E2E)
TSAN_E2E ?= parallel.test.mjs big_js_client.test.mjs fallback.test.mjs conformance.test.mjs

run:
	scripts/run --build $(B)

test:
	scripts/test --build $(B)

lint: $(B)/tus-fcgi
	scripts/lint
	scripts/manual --check $(B)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/cgi-bin
	install -m 755 $(B)/tus-fcgi $(B)/tusctl $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(B)/upload.cgi $(DESTDIR)$(PREFIX)/lib/cgi-bin/upload

clean:
	rm -rf $(B)

-include $(OBJ:.o=.d) $(wildcard $(B)/obj/fcgi/*.d $(B)/obj/cgi-bin/*.d $(B)/obj/tests/*/*.d)
