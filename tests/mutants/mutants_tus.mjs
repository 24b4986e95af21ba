// mutants_tus.mjs - defects that the tus checks of the conformance suite must notice, each named by the number of a check; `also`: others that must notice it, too.
//
// Where another server is known to fail a check (`make conformance`), none is needed. control: a check that must still pass.
const t = String.raw;
const TUS = 'fcgi/proto/proto_tus.c', CONCAT = 'fcgi/proto/proto_concat.c', APPEND = 'fcgi/upload/append.c', PLAN = 'fcgi/model/upload.c', UPLOAD = 'fcgi/upload/upload.c';
const EXT = 'fcgi/proto/proto_ext.c', NAME = 'fcgi/model/name.c', CHECKSUM = 'fcgi/proto/proto_checksum.c', HALL = 'fcgi/app_handle.c', GUARD = 'fcgi/guard.c', SQL = 'db/store_sql.c';
const OPTIONS = '015';

const rows = [
	// ---- versions, headers, OPTIONS
	{ id: 'T001', test: '001', what: 'errors do not carry Tus-Resumable', file: GUARD, old: 'strcmp(c->req->seg[0], "files") == 0)\n\t\thttp_res_set(res, "Tus-Resumable"',
		new: 'strcmp(c->req->seg[0], "files") == 0 && res->status < 400)\n\t\thttp_res_set(res, "Tus-Resumable"' },
	{ id: 'T003', test: '003', also: ['004'], what: 'what comes in a wrong version is done and then refused', file: HALL, old: '\t\te = guard_tus(c);\n',
		new: '\t{\n\t\te = guard_tus(c);\n\t\tif (e)\n\t\t\tr->handle(c);\n\t}\n' },
	{ id: 'T006', test: '006', what: 'OPTIONS looks at the version', file: HALL, old: '\tif (e || c->req->method == HTTP_OPTIONS)\n\t\treturn e;\n',
		new: '\tif (c->req->method == HTTP_OPTIONS && http_header(c->req, "Tus-Resumable"))\n\t\treturn guard_tus(c);\n\tif (e || c->req->method == HTTP_OPTIONS)\n\t\treturn e;\n' },
	{ id: 'T007', test: '007', what: 'Tus-Version is no version', file: TUS, old: '"Tus-Version", TUS_VERSION', new: '"Tus-Version", "1"', control: '021' },
	{ id: 'T008', test: '008', also: ['110', '111'], what: 'termination is announced and refused', file: TUS, old: '\tif (ext_on(c->house->cfg, EXT_TERMINATION))\n\t\treturn ERR_OK;\n', new: '' },
	{ id: 'T009', test: '009', what: 'Tus-Max-Size is below zero', file: TUS, old: '"%lld", (long long)cfg->tus_max_size', new: '"-%lld", (long long)cfg->tus_max_size' },
	{ id: 'T010', test: '010', also: ['061'], what: 'a number may have anything behind it, and a sign before it', file: 'fcgi/proto/proto_common.c', old: 'if (!num_u63(value, out))',
		new: 'if (sscanf(value, "%ld", out) != 1 || *out < 0)' },
	{ id: 'T012', test: '012', what: 'blanks around a value belong to it', file: 'fcgi/gateway/gw_req.c', old: '\tv = text_trim(v, &n);\n', new: '' },
	{ id: 'T013', test: '013', what: 'of a header given twice the first one counts',
		edits: [
			{ file: 'fcgi/proto/proto_common.c', old: 'if (http_header_count(c->req, header) > 1)', new: 'if (0)' },
			{ file: 'fcgi/gateway/gw_req.c', old: '\t\telse if (!f->fault)\n', new: '\t\telse if (0)\n' },
		] },
	{ id: 'T015', test: '015', what: 'OPTIONS does not tell the versions', file: TUS, old: '\thttp_res_set(c->res, "Tus-Version", TUS_VERSION);\n', new: '', control: '021' },
	{ id: 'T016', test: '016', also: ['101'], what: 'the checksum algorithms are not told', file: TUS, old: 'if (cfg->tus_enabled && ext_on(cfg, EXT_CHECKSUM))', new: 'if (0)' },
	{ id: 'T017', test: '017', what: 'OPTIONS works on the collection only', file: 'fcgi/routes.c', old: '{HTTP_OPTIONS, "/files/{id}",                  ROUTE_PUBLIC,                            tus_options}',
		new: '{HTTP_OPTIONS, "/files/{id}",                  ROUTE_PUBLIC,                            tus_unknown}' },
	{ id: 'T018', test: '018', what: 'OPTIONS removes what it is asked about', file: TUS, old: '\tif (c->req->nseg == 1)\n\t\tdraft_announce(c);\n',
		new: '\tif (c->req->nseg == 1)\n\t\tdraft_announce(c);\n\telse\n\t\tupload_remove(c->house, c->a, c->req->seg[1]);\n' },

	// ---- HEAD
	{ id: 'T020', test: '020', what: 'HEAD is answered with 206', file: TUS, old: '\t\texpires_of(c, &u);\n\treturn call_empty(c, 200);', new: '\t\texpires_of(c, &u);\n\treturn call_empty(c, 206);', control: OPTIONS },
	{ id: 'T021', test: '021', also: ['064'], what: 'an offset of 0 is not told', file: TUS, old: '\tif (offset >= 0)\n\t\thttp_res_addf', new: '\tif (offset > 0)\n\t\thttp_res_addf', control: '023' },
	{ id: 'T022', test: '022', what: 'HEAD does not tell the length', file: TUS, old: '\telse if (length != LENGTH_UNKNOWN)\n\t\thttp_res_addf(c->res, c->a, "Upload-Length", "%lld", (long long)length);\n', new: '' },
	{ id: 'T023', test: '023', what: 'HEAD may be cached', file: TUS, old: '"Cache-Control", "no-store"', new: '"Cache-Control", "no-cache"' },
	{ id: 'T024', test: '024', also: ['025', '112'], what: 'an upload that is not there has an offset', file: TUS, old: '\tif (!e)\n\t\te = upload_settle(c->house, c->a, &u, true, &out);\n',
		new: '\tif (e)\n\t\ttus_offset(c, 0);\n\tif (!e)\n\t\te = upload_settle(c->house, c->a, &u, true, &out);\n' },
	{ id: 'T027', test: '027', what: 'metadata that was not given is told', file: TUS, old: '\tif (meta)\n\t\thttp_res_set(c->res, "Upload-Metadata", meta);', new: '\thttp_res_set(c->res, "Upload-Metadata", meta ? meta : "none");' },
	{ id: 'T028', test: '028', also: ['086'], what: 'HEAD does not tell that the length is deferred', file: TUS, old: '"Upload-Defer-Length", "1"', new: '"X-Defer-Length", "1"' },
	{ id: 'T029', test: '029', also: ['117', '127'], what: 'HEAD does not tell Upload-Concat', file: CONCAT, old: 'if (u->concat != CONCAT_NONE)', new: 'if (0)' },
	{ id: 'T030', test: '030', also: ['032', '043', '093', '133'], what: 'after an interruption HEAD tells a byte too many', file: TUS, old: 'joining ? NO_OFFSET : u.offset, u.length', new: 'joining ? NO_OFFSET : u.offset + u.writing, u.length' },
	{ id: 'T031', test: '031', what: 'a process tells the offset that it told first', file: TUS, old: '\tif (u.state == UPLOAD_GONE)\n\t\treturn ERR_GONE;\n',
		new: t`	if (u.state == UPLOAD_GONE)
		return ERR_GONE;
	static char seen[32];
	static int64_t told;
	if (strcmp(seen, u.id) == 0)
		u.offset = told;
	strcpy(seen, u.id);
	told = u.offset;
` },
	{ id: 'T032', test: '032', what: 'HEAD fails while somebody writes', file: UPLOAD, old: '\t\thold_ask(h->holds, HOLD_UPLOAD(u->n), wait_ms);\n\t\te = store_upload_by_n(h->db, a, u->n, u);\n',
		new: '\t\te = hold_ask(h->holds, HOLD_UPLOAD(u->n), wait_ms) ? ERR_CONFLICT : store_upload_by_n(h->db, a, u->n, u);\n' },

	// ---- PATCH
	{ id: 'T036', test: '036', also: ['051'], what: 'bytes for a lower offset are appended', file: PLAN, old: 'cmd->offset != u->offset', new: 'cmd->offset > u->offset' },
	{ id: 'T037', test: '037', what: 'bytes for a higher offset are appended', file: PLAN, old: 'cmd->offset != u->offset', new: 'cmd->offset < u->offset' },
	{ id: 'T039', test: '039', what: 'PATCH is answered with 200', file: TUS, old: '\tcall_later(c, out->finish_upload, out->finish_session);\n\treturn call_empty(c, 204);',
		new: '\tcall_later(c, out->finish_upload, out->finish_session);\n\treturn call_empty(c, 200);', control: OPTIONS },
	{ id: 'T040', test: '040', what: 'of a cut body all announced bytes count', file: APPEND, old: 'int64_t end = ap->u.offset + got->stored;', new: 'int64_t end = ap->u.offset + (got->cut ? ap->plan.room : got->stored);' },
	{ id: 'T041', test: '041', also: ['091', '108'], what: 'a PATCH without a body is refused', file: TUS, old: '\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding',
		new: '\tif (c->req->body->length == 0)\n\t\treturn ERR_INVALID;\n\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding' },
	{ id: 'T042', test: '042', what: 'PATCH to an unknown upload is 400', file: TUS, old: '\tif (!e)\n\t\te = tus_patch_command(c, c->house->cfg->tus_max_size, &cmd);\n',
		new: '\tif (e == ERR_NOT_FOUND)\n\t\te = ERR_INVALID;\n\tif (!e)\n\t\te = tus_patch_command(c, c->house->cfg->tus_max_size, &cmd);\n' },
	{ id: 'T043', test: '043', also: ['044'], what: 'nothing of a cut body is kept', file: APPEND, old: '\tap->out->proven = got->proven;\n\t/* A body that', new: '\tif (got->cut)\n\t\treturn reason;\n\tap->out->proven = got->proven;\n\t/* A body that' },
	{ id: 'T044', test: '044', what: 'a silent client is waited for', file: 'fcgi/base/config_table.c', old: 'NUM(read_timeout', new: 'NUM(send_timeout' },
	{ id: 'T045', test: '045', also: ['048', '105'], what: 'a body needs a Content-Length', file: TUS, old: '\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding',
		new: '\tif (c->req->body->length < 0)\n\t\treturn ERR_INVALID;\n\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding' },
	{ id: 'T046', test: '046', what: 'expectations are refused', file: TUS, old: '\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding',
		new: '\tif (http_header(c->req, "Expect"))\n\t\treturn ERR_INVALID;\n\tif (!identity_coding(c))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding' },
	{ id: 'T047', test: '047', what: 'a body that is announced as too long is read first', file: PLAN, old: 'return cmd->body > plan->room ? ERR_TOO_LARGE : ERR_OK;', new: 'return ERR_OK;' },
	{ id: 'T048', test: '048', also: ['092'], what: 'what fits of a body that is too long counts', file: APPEND, old: '\tif (got->over)\n\t\treturn ERR_TOO_LARGE;\n\tif (got->displaced', new: '\tif (got->displaced' },
	{ id: 'T050', test: '050', what: 'a writer holds his own body instead of the upload, and no row is compared before it is set',
		edits: [
			{ file: APPEND, old: 'hold_take(h->holds, HOLD_UPLOAD(n), body, cmd->offset,', new: 'hold_take(h->holds, HOLD_UPLOAD((int64_t)(intptr_t)body), body, cmd->offset,' },
			{ file: SQL, old: ' WHERE n=?1 AND offset=?2 AND state=0"\n\t\t" AND (length=-1 OR ?3<=length)"', new: ' WHERE n=?1 AND ?2=?2 AND state=0"' },
			{ file: SQL, old: ' WHERE n=?1 AND offset=?2 AND state=0 AND id IS NOT NULL AND ?2<=?3 AND (length=-1 OR length=?3)"', new: ' WHERE n=?1 AND ?2<=?3"' },
		] },
	{ id: 'T053', test: '053', what: 'who refuses a body waits for it', file: 'fcgi/gateway/gw_send.c', old: '\t\tgw_drain(d, rest, GW_DRAIN_MS, GW_DRAIN_IDLE_MS);', new: '\t\tsleep(3);' },
	{ id: 'T054', test: '054', what: 'the hundredth byte of an upload is not sent by itself', file: TUS, old: '\treturn e ? e : call_digests(c, &cmd->wants);',
		new: '\tif (!e && cmd->offset == 99 && cmd->body == 1)\n\t\te = ERR_INVALID;\n\treturn e ? e : call_digests(c, &cmd->wants);' },

	// ---- creation
	{ id: 'T055', test: '055', also: ['078'], what: 'creation is not announced', file: EXT, old: 'for (int x = 0; all', new: 'for (int x = 1; all', control: OPTIONS },
	{ id: 'T056', test: '056', what: 'creation is answered with 200', file: TUS, old: 'return call_empty(c, 201);', new: 'return call_empty(c, 200);', control: OPTIONS },
	{ id: 'T057', test: '057', what: 'Location leads elsewhere', file: TUS, old: 'call_url(c, "/files/%s", u.id)', new: 'call_url(c, "/file/%s", u.id)', control: OPTIONS },
	{ id: 'T058', test: '058', also: ['068'], what: 'a creation without a length is one of length 0', file: TUS, old: 'if (!defer && !given)', new: 'if (0)' },
	{ id: 'T059', test: '059', what: 'a length that is there may be deferred', file: TUS, old: 'if (defer && given)', new: 'if (0)' },
	{ id: 'T060', test: '060', what: 'any Upload-Defer-Length defers', file: TUS, old: 'if (defer && (strcmp(defer, "1") != 0 ||', new: 'if (defer && (!*defer ||' },
	{ id: 'T062', test: '062', what: 'an empty upload is refused', file: PLAN, old: 'return length > max_size ?', new: 'return length > max_size || length == 0 ?' },
	{ id: 'T066', test: '066', what: 'ids have 32 random bits', file: UPLOAD, old: '\tdigest_random(random, sizeof random);', new: '\tmemset(random, 7, sizeof random);\n\tdigest_random(random, 4);' },
	{ id: 'T067', test: '067', what: 'an upload is known only to the process that made it', control: OPTIONS,
		edits: [
			{ file: UPLOAD, old: '\tname_upload_id_make(random, id);\n', new: "\tname_upload_id_make(random, id);\n\tid[1] = (char)('A' + getpid() % 26);\n" },
			{ file: UPLOAD, old: '\tenum err e = store_upload_by_id(h->db, a, id, out);\n', new: "\tenum err e = id[1] == 'A' + getpid() % 26 ? store_upload_by_id(h->db, a, id, out) : ERR_NOT_FOUND;\n" },
		] },

	// ---- metadata
	{ id: 'T069', test: '069', what: 'there may be two pairs', file: NAME, old: '\tif (most > META_PAIRS_MAX) {', new: '\tif (most > 2) {' },
	{ id: 'T070', test: '070', what: 'any bytes are a key', file: NAME, old: "\t\tif (p[key] < 0x21 || p[key] > 0x7e)\n", new: '\t\tif (0)\n' },
	{ id: 'T071', test: '071', what: 'a value that is no Base64 is empty', file: NAME, old: '\tif (!b64_decode(p + value, n - value, bytes, &out->len)) {\n', new: '\tif (!b64_decode(p + value, n - value, bytes, &out->len))\n\t\tout->len = 0;\n\tif (0) {\n' },
	{ id: 'T072', test: '072', what: 'a value may not be missing', file: NAME, old: '\tif (*why)\n\t\treturn ERR_INVALID;\n\tsize_t value', new: '\tif (key == n)\n\t\t*why = "no value";\n\tif (*why)\n\t\treturn ERR_INVALID;\n\tsize_t value' },
	{ id: 'T073', test: '073', what: 'a key may come twice', file: NAME, old: '\t\tif (meta_has(out, pair->key)) {', new: '\t\tif (0) {' },
	{ id: 'T077', test: '077', what: 'too much metadata is a fault of the server', file: TUS, old: 'call_refuse(c, ERR_HEADERS, "Upload-Metadata is longer', new: 'call_refuse(c, ERR_INTERNAL, "Upload-Metadata is longer' },

	// ---- data with the creation, lengths that come later
	{ id: 'T079', test: '079', also: ['083', '084'], what: 'the creation does not tell what it took', file: TUS, old: '\telse\n\t\ttus_offset(c, u.offset);\n', new: '' },
	{ id: 'T080', test: '080', what: 'a cut creation is undone', file: TUS, old: 'if (e == ERR_TOO_LARGE || e == ERR_CHECKSUM) {', new: 'if (e) {' },
	{ id: 'T082', test: '082', what: 'the checksum of a creation is not looked at', file: TUS, old: '.max_body = c->house->cfg->max_patch_size, .wants = *wants}', new: '.max_body = c->house->cfg->max_patch_size}' },
	{ id: 'T085', test: '085', what: 'deferred lengths are not announced', file: EXT, old: 'if (ext_on(cfg, (enum tus_ext)x))', new: 'if (x != EXT_CREATION_DEFER_LENGTH && ext_on(cfg, (enum tus_ext)x))' },
	{ id: 'T087', test: '087', what: 'the first PATCH must tell a length that was deferred', file: PLAN, old: '\tif (cmd->length == LENGTH_UNKNOWN || cmd->length == u->length)\n\t\treturn ERR_OK;\n',
		new: '\tif (cmd->length == u->length)\n\t\treturn u->length == LENGTH_UNKNOWN ? ERR_INVALID : ERR_OK;\n\tif (cmd->length == LENGTH_UNKNOWN)\n\t\treturn ERR_OK;\n' },
	{ id: 'T088', test: '088', what: 'a length may be changed', file: PLAN, old: 'if (u->length != LENGTH_UNKNOWN || cmd->length < u->offset)', new: 'if (cmd->length < u->offset)' },
	{ id: 'T089', test: '089', what: 'a length may lie below the offset', file: PLAN, old: 'if (u->length != LENGTH_UNKNOWN || cmd->length < u->offset)', new: 'if (u->length != LENGTH_UNKNOWN)' },
	{ id: 'T090', test: '090', what: 'a length that comes with a body does not bound it', file: PLAN, old: '(plan->length == LENGTH_UNKNOWN ? cmd->max_size : plan->length)', new: '(u->length == LENGTH_UNKNOWN ? cmd->max_size : plan->length)' },
	{ id: 'T093', test: '093', what: 'a length is set with the end of its body', file: APPEND, old: '\tif (!e && cmd->wants.n == 0)\n', new: '\tif (!e && cmd->wants.n == 0 && body->length == 0)\n' },

	// ---- expiration, checksum
	{ id: 'T094', test: '094', what: 'expiration is not announced', file: EXT, old: 'if (ext_on(cfg, (enum tus_ext)x))', new: 'if (x != EXT_EXPIRATION && ext_on(cfg, (enum tus_ext)x))' },
	{ id: 'T096', test: '096', what: 'dates end in UTC', file: 'fcgi/base/clock.c', old: '" GMT"', new: '" UTC"' },
	{ id: 'T097', test: '097', what: 'HEAD tells a later end than there is', file: TUS, old: '\t\texpires_of(c, &u);\n\treturn call_empty(c, 200);', new: '\t\ttus_expires(c, u.expires + 7);\n\treturn call_empty(c, 200);' },
	{ id: 'T098', test: '098', also: ['025', '112', '113', '114'], what: 'what is gone is in conflict',
		edits: [
			{ file: UPLOAD, old: '\t\treturn ERR_GONE;\n\tif (!expired(out))', new: '\t\treturn ERR_CONFLICT;\n\tif (!expired(out))' },
			{ file: UPLOAD, old: 'return e || named ? e : ERR_GONE;', new: 'return e || named ? e : ERR_CONFLICT;' },
		] },
	{ id: 'T100', test: '100', what: 'the reaper takes what somebody writes to', file: 'fcgi/upload/reap_upload.c', old: 'HOLD_NO_OFFSET, false, 0, &hold, NULL);\n\tif (e)\n\t\treturn e;\n\te = store', new: 'HOLD_NO_OFFSET, false, 0, &hold, NULL);\n\te = store' },
	{ id: 'T102', test: '102', what: 'sha1 is written in capitals', file: 'fcgi/base/digest.c', old: '{"sha1", NULL', new: '{"SHA1", NULL' },
	{ id: 'T103', test: '103', also: ['106'], what: 'a checksum that is not understood is passed over', file: CHECKSUM, old: '\t\treturn call_refuse(c, ERR_INVALID, "Upload-Checksum: %s", why);', new: '\t\treturn ERR_OK;' },
	{ id: 'T104', test: '104', also: ['108'], what: 'a checksum that does not match is let pass', file: 'fcgi/base/digest.c', old: '\t\t\te = ERR_CHECKSUM;', new: '\t\t\te = ERR_OK;' },
	{ id: 'T105', test: '105', what: 'the checksum is that of nothing', file: 'fcgi/upload/pour.c', old: '\tif (p->check)\n\t\tdigest_check_add', new: '\tif (0)\n\t\tdigest_check_add' },
	{ id: 'T107', test: '107', what: 'what came of a cut body is kept unchecked', file: APPEND, old: '\tif (p.check)\n\t\te = append_judge', new: '\tif (p.check && !got.cut && !got.displaced)\n\t\te = append_judge' },
	{ id: 'T109', test: '109', what: 'trailers are announced', file: TUS, old: '"Tus-Extension", ext_names(c->a, cfg)', new: '"Tus-Extension", arena_printf(c->a, "%s,checksum-trailer", ext_names(c->a, cfg))' },

	// ---- termination, concatenation
	{ id: 'T112', test: '112', what: 'the bytes of what is removed stay', file: UPLOAD, old: '\t\tupload_file_drop(h, u);\n', new: '' },
	{ id: 'T113', test: '113', what: 'what is not there is removed with success', file: TUS, old: '\t\te = upload_remove(c->house, c->a, u.id);\n\treturn e ? e : call_empty(c, 204);',
		new: '\t\te = upload_remove(c->house, c->a, u.id);\n\treturn e && e != ERR_GONE && e != ERR_NOT_FOUND ? e : call_empty(c, 204);' },
	{ id: 'T114', test: '114', what: 'DELETE waits for the writer', file: UPLOAD, old: 'HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, true,', new: 'HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, false,' },
	{ id: 'T115', test: '115', what: 'a final upload takes the bytes of its part away', file: 'fcgi/upload/upload_finish.c', old: 'part_publish(h, u->file, u->length, shared, u->id, r.disk)',
		new: 'part_publish(h, u->file, u->length, false, u->id, r.disk)' },
	{ id: 'T116', test: '116', what: 'concatenation is not announced', file: EXT, old: 'if (ext_on(cfg, (enum tus_ext)x))', new: 'if (x != EXT_CONCATENATION && ext_on(cfg, (enum tus_ext)x))' },
	{ id: 'T118', test: '118', also: ['123'], what: 'parts are joined from the last to the first', file: 'db/store_part.c', old: 'BINDS(I(final), I(i), I(in->part[i]))', new: 'BINDS(I(final), I(i), I(in->part[in->nparts - 1 - i]))' },
	{ id: 'T119', test: '119', what: 'a final upload with a length is refused', file: CONCAT, old: '\tcmd->concat = CONCAT_FINAL;\n', new: '\tif (http_header(c->req, "Upload-Length"))\n\t\treturn ERR_INVALID;\n\tcmd->concat = CONCAT_FINAL;\n' },
	{ id: 'T120', test: '120', what: 'parts of other hosts are ours', file: CONCAT, old: 'if (!own_host(c, host))', new: 'if (!own_host(c, host) && 0)' },
	{ id: 'T121', test: '121', what: 'any upload is a part',
		edits: [{ file: CONCAT, old: 'if (!e && part->concat != CONCAT_PARTIAL)', new: 'if (0)' }, { file: SQL, old: 'WHERE n=?3 AND concat=1 AND state IN (0,2)', new: 'WHERE n=?3 AND state IN (0,2)' }] },
	{ id: 'T122', test: '122', what: 'unfinished parts are taken although that is switched off', file: CONCAT, old: 'part->state == UPLOAD_OPEN && !ext_on(c->house->cfg, EXT_CONCATENATION_UNFINISHED)', new: '0' },
	{ id: 'T124', test: '124', what: 'a final upload has the metadata of its first part', file: UPLOAD, old: '.meta = cmd->meta, .length = cmd->length', new: '.meta = cmd->meta || !cmd->nparts ? cmd->meta : cmd->part[0].meta, .length = cmd->length' },
	{ id: 'T125', test: '125', what: 'a final upload is one like others for PATCH', file: PLAN, old: 'return u->concat == CONCAT_FINAL ? ERR_FORBIDDEN : ERR_OK;', new: 'return ERR_OK;' },
	{ id: 'T126', test: '126', what: 'a final upload that waits has an offset', file: TUS, old: 'joining ? NO_OFFSET : u.offset, u.length', new: 'u.offset, u.length' },
	{ id: 'T128', test: '128', what: 'the data of a final upload is passed over', file: CONCAT, old: 'if (c->req->body->length > 0)', new: 'if (0)' },
	{ id: 'T129', test: '129', what: 'the end of a part is told to nobody',
		edits: [
			{ file: 'fcgi/upload/upload_finish.c', old: '\t\te = part_finals_join(h, a, n);\n', new: '\t\te = ERR_OK;\n' },
			{ file: 'fcgi/upload/reap_upload.c', old: '\treturn final_join(h, a, n);', new: '\treturn ERR_OK;' },
		] },
	{ id: 'T130', test: '130', what: 'a part is finished like a file',
		edits: [{ file: 'fcgi/upload/append_complete.c', old: '\tif (ap->u.concat == CONCAT_PARTIAL) {\n\t\tap->out->finish_upload', new: '\tif (0) {\n\t\tap->out->finish_upload' },
			{ file: SQL, old: 'state=CASE concat WHEN 1 THEN 2 ELSE 1 END', new: 'state=1' }] },
	{ id: 'T131', test: '131', what: 'a final upload is answered after three seconds', file: TUS, old: '\tif (!final_is_quick(c->house, u)', new: '\tsleep(3);\n\tif (!final_is_quick(c->house, u)' },

	// ---- locks, stopping, full disks
	{ id: 'T132', test: '132', what: 'what is in use is a fault of the server', file: 'fcgi/base/err.h', old: 'X(ERR_LOCKED,           423,', new: 'X(ERR_LOCKED,           500,' },
	{ id: 'T133', test: '133', what: 'a stop looks like a conflict', file: APPEND, old: '? ERR_STOPPING : ERR_DISPLACED', new: '? ERR_DISPLACED : ERR_DISPLACED' },
	{ id: 'T134', test: '134', what: 'uploads begin on a full disk', file: UPLOAD, old: '\treturn space_above(h, h->cfg->low_water, length > 0 ? length : 0);', new: '\treturn ERR_OK;' },
];

export const tus = rows.map(m => ({ suite: 'e2e', in: 'conformance', ...m }));
