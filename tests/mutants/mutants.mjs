// mutants.mjs - one row a defect: what it is, where it is put in, and which test must fail of it.
//
// B01-B35 are the weaknesses of the replaced system; where several defects lead to one, letters tell them apart. D rows weaken durability, E rows the outbox and its hook,
// C rows concatenation, Q rows what tusctl doctor must find, I and DA rows the IETF draft, P rows what programs of other people would stumble over, N rows what keeps two who work at once from each other's files and room.
// T and DR rows are what the conformance suite must notice: suite 'e2e', in 'conformance', test is the number of a check.
// old must be found exactly once in file; edits: several replacements. in: the test file (of e2e: 'bugs' unless told); control: a test that must still pass.
import { tus } from './mutants_tus.mjs';

const t = String.raw;

const POWER = ['--rounds', '4', '--ms', '900', '--patience', '10', '--first'], STORM = ['--seconds', '8', '--patience', '10', '--first'];
const REPLAY = ['--seconds', '2', '--states', '25', '--first', '--order', 'strict', '--level', 'full'];

export const mutants = [
	...tus,
	{
		id: 'B01', what: 'a recording without a total is taken for one without chunks: its file is empty', suite: 'e2e', test: 'B01_live_recording_is_not_empty',
		file: 'fcgi/upload/finish.c', old: 'part_publish(h, s->file, s->bytes, false, s->sid, s->out_name)',
		new: 'part_publish(h, s->file, s->total ? s->bytes : 0, false, s->sid, s->out_name)',
	},
	{
		id: 'B02', what: 'a chunk is complete after its first body, whatever its length', suite: 'e2e', test: 'B02_chunk_is_complete_only_at_its_full_length',
		file: 'fcgi/upload/append.c', old: '&& end == ap->plan.length;', new: '&& (end == ap->plan.length || ap->u.kind == UPLOAD_CHUNK);',
	},
	{
		id: 'B03', what: 'HEAD does not tell the length', suite: 'e2e', test: 'B03_head_has_upload_length', control: 'B28_faults_of_input_are_no_server_errors',
		file: 'fcgi/proto/proto_tus.c', old: '\telse if (length != LENGTH_UNKNOWN)\n\t\thttp_res_addf(c->res, c->a, "Upload-Length", "%lld", (long long)length);\n', new: '',
	},
	{
		id: 'B04a', what: 'an unfinished row is a chunk for verify', suite: 'e2e', test: 'B04_partial_tus_chunk_does_not_satisfy_the_fallback',
		file: 'fcgi/upload/chunk.c', old: '\t\te = store_chunk_get(h->db, takes[i].n, idx, c);\n\t\tif (e != ERR_NOT_FOUND)\n',
		new: t`		struct upload u;
		e = store_chunk_get(h->db, takes[i].n, idx, c);
		if (e == ERR_NOT_FOUND && store_chunk_upload(h->db, a, takes[i].n, idx, &u) == ERR_OK) {
			*c = (struct chunk){.idx = idx, .length = u.offset};
			return ERR_OK;
		}
		if (e != ERR_NOT_FOUND)
`,
	},
	{
		id: 'B04b', what: 'an unfinished row satisfies the fallback, whose bytes are thrown away', suite: 'e2e', test: 'B04_partial_tus_chunk_does_not_satisfy_the_fallback',
		file: 'fcgi/upload/put.c', old: '\tsized.length = p->size;\n',
		new: t`	sized.length = p->size;
	struct session s;
	struct upload u;
	if (p->mode != PUT_SLOT && take_of(p->h, p->a, cmd, &s) == ERR_OK && store_chunk_upload(p->h->db, p->a, s.n, cmd->idx, &u) == ERR_OK) {
		out->exists = p->ended = true;
		return ERR_OK;
	}
`,
	},
	{
		id: 'B05', what: 'a chunk that was parked never finishes its session', suite: 'e2e', test: 'B05_fallback_after_a_half_chunk_assembles_all_bytes',
		file: 'db/store_chunk.c', old: '\treturn e ? e : done_whole(t, d, &s);\n', new: '\treturn e || u.file != s.file ? e : done_whole(t, d, &s);\n',
	},
	{
		id: 'B06', what: 'the session is read before the transaction that writes it', suite: 'e2e', test: 'B06_parallel_chunks_are_all_registered',
		edits: [
			{ file: 'db/store_chunk.c', old: '\tstruct chunk_ended *out;\n};\n', new: '\tstruct chunk_ended *out;\n\tstruct session seen;\n};\n' },
			{
				file: 'db/store_chunk.c', old: '\tenum err e = done_load(t, d->e, &u, &s);\n\tif (e)\n\t\treturn e;\n',
				new: '\tenum err e = done_load(t, d->e, &u, &s);\n\tif (e)\n\t\treturn e;\n\ts.done = d->seen.done;\n\ts.parked = d->seen.parked;\n',
			},
			{
				file: 'db/store_chunk.c', old: '\tstruct done d = {.e = e, .out = out};\n',
				new: t`	struct upload u;
	struct done d = {.e = e, .out = out};
	if (store_upload_by_n(s, NULL, e->upload, &u) == ERR_OK)
		store_session_by_n(s, NULL, u.session, &d.seen);
`,
			},
		],
	},
	{
		id: 'B07a', what: 'a writer holds his own body instead of the upload, and no row is compared before it is set', suite: 'e2e', in: 'parallel',
		test: 'two_patches_at_the_same_offset_one_wins', control: 'twenty_fallback_chunks_at_once',
		edits: [
			{
				file: 'fcgi/upload/append.c', old: 'hold_take(h->holds, HOLD_UPLOAD(n), body, cmd->offset,', new: 'hold_take(h->holds, HOLD_UPLOAD((int64_t)(intptr_t)body), body, cmd->offset,',
			},
			{ file: 'db/store_sql.c', old: ' WHERE n=?1 AND offset=?2 AND state=0"\n\t\t" AND (length=-1 OR ?3<=length)"', new: ' WHERE n=?1 AND ?2=?2 AND state=0"' },
			{ file: 'db/store_sql.c', old: ' WHERE n=?1 AND offset=?2 AND state=0 AND id IS NOT NULL AND ?2<=?3 AND (length=-1 OR length=?3)"', new: ' WHERE n=?1 AND ?2<=?3"' },
		],
	},
	{
		id: 'B07b', what: 'a row moves without a look at its offset', suite: 'contract', in: 'test_store', test: 'move_is_compare_and_set',
		file: 'db/store_sql.c', old: ' WHERE n=?1 AND offset=?2 AND state=0"\n\t\t" AND (length=-1', new: ' WHERE n=?1 AND ?2=?2 AND state=0"\n\t\t" AND (length=-1',
	},
	{
		id: 'B07c', what: 'two of one process hold the same upload', suite: 'contract', in: 'test_hold', test: 'test_take_try_drop',
		file: 'fcgi/upload/hold.c', old: '\tif (find(h, e->key))\n\t\treturn ERR_LOCKED;\n', new: '',
	},
	{
		id: 'B08a', what: 'the length of an upload bounds nothing', suite: 'e2e', test: 'B08_bounds_type_and_version',
		file: 'fcgi/model/upload.c', old: '(plan->length == LENGTH_UNKNOWN ? cmd->max_size : plan->length) - u->offset', new: 'cmd->max_size - u->offset',
	},
	{
		id: 'B08b', what: 'PATCH takes any content type', suite: 'e2e', test: 'B08_bounds_type_and_version',
		file: 'fcgi/proto/proto_tus.c', old: '\tif (!field_media_type_is(c->req->content_type, TUS_TYPE))\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "PATCH needs', new: '\tif (0)\n\t\treturn call_refuse(c, ERR_MEDIA_TYPE, "PATCH needs',
	},
	{
		id: 'B08c', what: 'the protocol version is not looked at', suite: 'e2e', test: 'B08_bounds_type_and_version',
		file: 'fcgi/app_handle.c', old: '\tif (!e && (flags & ROUTE_TUS) && !c->draft)\n\t\te = guard_tus(c);\n', new: '',
	},
	{
		id: 'B08d', what: 'an upload may be created with any length', suite: 'e2e', test: 'B08_bounds_type_and_version',
		file: 'fcgi/model/upload.c', old: '\treturn length > max_size ? ERR_TOO_LARGE : ERR_OK;\n', new: '\treturn ERR_OK;\n',
	},
	{
		id: 'B09', what: 'processes do not keep each other out of the database', suite: 'e2e', test: 'B09_several_processes_lose_nothing',
		edits: [
			{ file: 'db/store_commit.c', old: '\twhile (fcntl(fd, F_OFD_SETLKW, &fl) < 0 && errno == EINTR)\n\t\t;\n', new: '\t(void)fd;\n\t(void)fl;\n' },
			{ file: 'db/store_sql.c', old: '"BEGIN IMMEDIATE"', new: '"BEGIN"' },
		],
	},
	{
		id: 'B10', what: 'a body is gathered in memory while it is written', suite: 'e2e', test: 'B10_body_is_not_held_in_memory',
		edits: [
			{ file: 'fcgi/upload/pour.c', old: '\tunsigned char *buf;\n\tsize_t size; ', new: '\tunsigned char *buf, *all;\n\tsize_t size; ' },
			{
				file: 'fcgi/upload/pour.c', old: '\tsize_t written = 0;\n',
				new: '\tsize_t written = 0;\n\tf->all = realloc(f->all, (size_t)(f->out->stored + got));\n\tmemcpy(f->all + f->out->stored, f->buf, (size_t)got);\n',
			},
			{ file: 'fcgi/upload/pour.c', old: '\tfree(f.buf);\n', new: '\tfree(f.buf);\n\tfree(f.all);\n' },
			{ file: 'fcgi/upload/pour.c', old: '#include <stdlib.h>\n', new: '#include <stdlib.h>\n#include <string.h>\n' },
		],
	},
	{
		id: 'B11', what: 'every chunk row of the session is written anew with each chunk', suite: 'e2e', test: 'B11_cost_of_a_chunk_does_not_grow',
		edits: [
			{ file: 'db/store_sql.c', old: '[SQL_CHUNK_GET] =', new: '[SQL_CHUNK_ALL] = "UPDATE chunk SET parked=1-parked WHERE session=?1",\n\t[SQL_CHUNK_GET] =' },
			{ file: 'db/store_sql.h', old: '\tSQL_CHUNK_GET,', new: '\tSQL_CHUNK_ALL, SQL_CHUNK_GET,' },
			{
				file: 'db/store_chunk.c', old: '\tif (!e)\n\t\te = bit_set(t, s->n, u->idx, &fresh);\n',
				new: '\tfor (int i = 0; !e && i < 2; i++)\n\t\te = sql_run(t->h, SQL_CHUNK_ALL, BINDS(I(s->n)));\n\tif (!e)\n\t\te = bit_set(t, s->n, u->idx, &fresh);\n',
			},
		],
	},
	{
		id: 'B12a', what: 'status lists every missing index', suite: 'e2e', test: 'B12_status_of_a_huge_total_is_small',
		file: 'fcgi/proto/proto_session.c', old: '#define MISSING_MAX 1000\n', new: '#define MISSING_MAX 1000000000\n',
	},
	{
		id: 'B12b', what: 'a session may have any number of chunks', suite: 'e2e', test: 'B12_status_of_a_huge_total_is_small',
		edits: [
			{ file: 'fcgi/proto/proto_chunk.c', old: '\tif (cmd->take.total > c->house->cfg->max_chunks || cmd->idx >= c->house->cfg->max_chunks)\n', new: '\tif (0)\n' },
			{ file: 'db/store_reserve.c', old: '\tif (w->idx < 0 || w->idx >= w->max_chunks || w->take.total > w->max_chunks)\n', new: '\tif (w->idx < 0)\n' },
		],
	},
	{
		id: 'B13', what: 'the offset that is told is not in the ledger', suite: 'e2e', test: 'B13_answered_means_kept',
		file: 'fcgi/upload/append.c', old: '\t\te = append_move(ap, end, reason != ERR_OK, reason && kept);\n', new: '\t\tap->out->offset = end;\n',
	},
	{
		id: 'B14', what: 'a chunk under way counts as soon as its place has bytes', suite: 'e2e', test: 'B14_killed_in_mid_write_leaves_no_trusted_short_chunk',
		file: 'fcgi/upload/chunk.c', old: '\t\te = store_chunk_get(h->db, takes[i].n, idx, c);\n\t\tif (e != ERR_NOT_FOUND)\n',
		new: t`		struct upload u;
		e = store_chunk_get(h->db, takes[i].n, idx, c);
		if (e == ERR_NOT_FOUND && store_chunk_upload(h->db, a, takes[i].n, idx, &u) == ERR_OK && blob_size(h->blobs, u.file, &c->length) == ERR_OK
			&& c->length > u.base)
			return ERR_OK;
		if (e != ERR_NOT_FOUND)
`,
	},
	{
		id: 'B16a', what: 'a cut PATCH leaves nothing', suite: 'e2e', test: 'B16_cut_patch_keeps_its_bytes_and_is_no_error',
		file: 'fcgi/upload/append.c', old: '\tif (got->displaced && got->leave_row)\n', new: '\tif (reason == ERR_CUT || (got->displaced && got->leave_row))\n',
	},
	{
		id: 'B16b', what: 'a cut PATCH is a line of level error', suite: 'e2e', test: 'B16_cut_patch_keeps_its_bytes_and_is_no_error',
		file: 'fcgi/app_handle.c', old: '\tlog_event(level, "http", "request",', new: '\tif (e == ERR_CUT)\n\t\tlevel = LOG_ERROR;\n\tlog_event(level, "http", "request",',
	},
	{
		id: 'B17a', what: 'a file is opened under whatever path the request names', suite: 'e2e', test: 'B17_no_traversal_read',
		edits: [
			{
				file: 'fcgi/proto/proto_recordings.c', old: 'enum err recordings_get(struct call *c)\n{\n',
				new: t`enum err recordings_get(struct call *c)
{
	static char text[4096];
	char path[4096], *sid = arena_alloc(c->a, 4096), *file = arena_alloc(c->a, 4096);
	size_t n;
	if (text_percent_decode(c->param[0], strlen(c->param[0]), false, sid, &n))
		sid[n] = '\0';
	if (text_percent_decode(c->param[1], strlen(c->param[1]), false, file, &n))
		file[n] = '\0';
	snprintf(path, sizeof path, "%s/%s/%s", c->house->cfg->done_dir, sid, file);
	FILE *f = fopen(path, "r");
	if (f) {
		c->res->status = 200;
		c->res->body = text;
		c->res->body_len = fread(text, 1, sizeof text, f);
		fclose(f);
		return ERR_OK;
	}
`,
			},
			{ file: 'fcgi/proto/proto_recordings.c', old: '#include <string.h>\n', new: '#include <stdio.h>\n#include <string.h>\n' },
		],
	},
	{
		id: 'B17b', what: 'a session id may hold ".."', suite: 'unit', in: 'test_name', test: 'session_ids',
		file: 'fcgi/model/name.c', old: ` || (s[n] == '.' && s[n + 1] == '.'))`, new: ')',
	},
	{
		id: 'B17c', what: 'a session id may hold a slash', suite: 'unit', in: 'test_name', test: 'session_ids',
		file: 'fcgi/model/name.c', old: 'strchr("._-", s[n])', new: 'strchr("._-/", s[n])',
	},
	{
		id: 'B18a', what: 'the session id of a form is not checked', suite: 'e2e', test: 'B18_no_traversal_write',
		file: 'fcgi/proto/proto_fallback.c', old: '\tenum err e = call_session_id(c, sid);\n', new: '\tenum err e = ERR_OK;\n',
	},
	{
		id: 'B18b', what: 'a name on the disk may hold a slash', suite: 'unit', in: 'test_name', test: 'disk_names_table',
		file: 'fcgi/model/name.c', old: `{ '/', '/' }, `, new: '',
	},
	{
		id: 'B18c', what: 'a name that reaches the bytes is not looked at again', suite: 'contract', in: 'test_blob', test: 'test_names_are_asserted',
		file: 'fcgi/blob/blob_done.c', old: `	assert(name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);\n`, new: '\tassert(name);\n',
	},
	{
		id: 'B19', what: 'dots are segments like any other, and the id in a path is not checked', suite: 'e2e', test: 'B19_delete_of_a_parent_is_impossible',
		edits: [
			{ file: 'fcgi/proto/proto_chunk.c', old: '\tenum err e = call_session_id(c, c->param[0]);\n', new: '\tenum err e = ERR_OK;\n' },
			{ file: 'fcgi/proto/proto_session.c', old: '\tif (!name_session_id(c->param[0], false))\n\t\treturn call_refuse(c, ERR_NOT_FOUND, "Session not found");\n', new: '' },
		],
	},
	{
		id: 'B20', what: 'verify tells where the bytes lie', suite: 'e2e', test: 'B20_no_internal_path_is_told',
		file: 'fcgi/proto/proto_fallback.c', old: 'arena_printf(c->a, "%s/chunks/chunk_%lld.bin", c->param[0], (long long)idx)',
		new: 'arena_printf(c->a, "%s/%s/chunks/chunk_%lld.bin", c->house->cfg->parts_dir, c->param[0], (long long)idx)',
	},
	{
		id: 'B21a', what: 'a finished file can be named, but not be had', suite: 'e2e', test: 'B21_download_list_and_range_work',
		file: 'fcgi/routes.c', old: '{HTTP_GET,     "/recordings/{any}/{file}",     ROUTE_DOWNLOAD,                          recordings_get},', new: '',
	},
	{
		id: 'B21b', what: 'the list of recordings is empty', suite: 'e2e', test: 'B21_download_list_and_range_work',
		file: 'fcgi/proto/proto_recordings.c', old: '\t\tjson_add(p->list, recording_json(p->c, &r[i]));\n', new: '',
	},
	{
		id: 'B22', what: 'completion answers 200 with chunks missing', suite: 'e2e', test: 'B22_complete_with_missing_chunks_says_so_and_can_be_repeated',
		file: 'fcgi/proto/proto_fallback.c', old: '\tif (e == ERR_CONFLICT) {\n', new: '\tif (e == ERR_CONFLICT)\n\t\te = ERR_OK;\n\tif (e == ERR_CONFLICT) {\n',
	},
	{
		id: 'B23a', what: 'the name given at completion is ignored after the session finished by itself', suite: 'e2e', test: 'B23_name_and_metadata_of_completion_count',
		file: 'fcgi/upload/session.c', old: '(!cmd->name || same_text(cmd->name, r.name))', new: 'out->already',
	},
	{
		id: 'B23b', what: 'the metadata given at completion is lost with a rename', suite: 'e2e', test: 'B23_name_and_metadata_of_completion_count',
		file: 'fcgi/upload/recording.c', old: '\tif (meta)\n\t\tout->meta = meta;\n', new: '',
	},
	{
		id: 'B24a', what: 'each POST writes name and format of the session anew', suite: 'e2e', test: 'B24_later_posts_do_not_reset_the_session',
		file: 'db/store_sql.c', old: 'name=COALESCE(name,?5),format=COALESCE(format,?6),', new: 'name=?5,format=?6,',
	},
	{
		id: 'B24b', what: 'a POST without a total resets it', suite: 'e2e', test: 'B24_later_posts_do_not_reset_the_session',
		file: 'db/store_reserve.c', old: '\tif (s.total == 0)\n\t\ts.total = w->take.total;\n', new: '\ts.total = w->take.total;\n',
	},
	{
		id: 'B25', what: 'so many chunks are all chunks, whichever they are', suite: 'e2e', test: 'B25_completeness_is_a_set_not_a_count',
		edits: [
			{ file: 'fcgi/model/session.c', old: 's->done == total && s->top == total', new: 's->done >= total' },
			{ file: 'db/store_reserve.c', old: '\tif (s->total > 0 && w->idx >= s->total)\n\t\treturn ERR_UNPROCESSABLE;\n', new: '' },
			{ file: 'db/store_reserve.c', old: '\tif (w->take.total > 0 && w->idx >= w->take.total)\n\t\treturn ERR_UNPROCESSABLE;\n', new: '' },
		],
	},
	{
		id: 'B26', what: 'the chunk rows go with the finishing', suite: 'e2e', test: 'B26_verify_stays_true_after_assembly',
		file: 'db/store_finish.c', old: '\t\te = sql_run(t->h, SQL_SESSION_UPLOADS_DROP, BINDS(I(f->n)));\n',
		new: '\t\te = sql_run(t->h, SQL_SESSION_UPLOADS_DROP, BINDS(I(f->n)));\n\tif (!e)\n\t\te = sql_run(t->h, SQL_CHUNKS_DROP_SOME, BINDS(I(f->n), I(1000000)));\n',
	},
	{
		id: 'B27a', what: 'verify makes the folder of its session', suite: 'e2e', test: 'B27_asking_makes_nothing',
		edits: [
			{
				file: 'fcgi/proto/proto_fallback.c', old: '\tif (e && e != ERR_NOT_FOUND)\n\t\treturn e;\n\tstruct json *o = json_obj();\n\tjson_put_bool(o, "exists"',
				new: '\tmkdir(arena_printf(c->a, "%s/%s", c->house->cfg->done_dir, c->param[0]), 0750);\n\tif (e && e != ERR_NOT_FOUND)\n\t\treturn e;\n\tstruct json *o = json_obj();\n\tjson_put_bool(o, "exists"',
			},
			{ file: 'fcgi/proto/proto_fallback.c', old: '#include <string.h>\n', new: '#include <string.h>\n#include <sys/stat.h>\n' },
		],
	},
	{
		id: 'B27b', what: 'uploads are created without an expiry', suite: 'e2e', test: 'B27_asking_makes_nothing',
		file: 'fcgi/upload/upload.c', old: '.expires = plan_expiry(now, h->cfg->expiration, 0),', new: '.expires = 0,',
	},
	{
		id: 'B27c', what: 'no abandoned session is ever settled', suite: 'e2e', in: 'scenarios', test: 'completion_after_recovery_renames', control: 'a_forgotten_upload_is_404',
		file: 'fcgi/model/session.c', old: '\tif (s->state != SESSION_RECEIVING || s->expires == 0 || s->expires > now)\n', new: '\tif (s->n)\n',
	},
	{
		id: 'B27d', what: 'nothing that is gone is ever forgotten', suite: 'e2e', in: 'scenarios', test: 'a_forgotten_upload_is_404', control: 'completion_after_recovery_renames',
		file: 'db/store_sql.c', old: 'WHERE state=3 AND updated<=?1"\n', new: 'WHERE state=3 AND updated<=?1-?1"\n',
	},
	{
		id: 'B28a', what: 'a chunk index that is no number is our fault', suite: 'e2e', test: 'B28_faults_of_input_are_no_server_errors',
		file: 'fcgi/proto/proto_chunk.c', old: '\t\treturn call_refuse(c, ERR_INVALID, "Upload-Metadata: %s must', new: '\t\treturn call_refuse(c, ERR_INTERNAL, "Upload-Metadata: %s must',
	},
	{
		id: 'B28b', what: 'a chunk number beyond all numbers in a path is our fault', suite: 'e2e', test: 'B28_faults_of_input_are_no_server_errors',
		file: 'fcgi/proto/proto_fallback.c', old: 'call_refuse(c, ERR_UNPROCESSABLE, "chunk_index: value is not', new: 'call_refuse(c, ERR_INTERNAL, "chunk_index: value is not',
	},
	{
		id: 'B29', what: 'the pieces stay on the disk after they were joined', suite: 'e2e', test: 'B29_assembly_does_not_hold_the_connection',
		file: 'fcgi/upload/finish.c', old: '\tif (e)\n\t\tparked.n = 0;\n', new: '\tparked.n = 0;\n',
	},
	{
		id: 'B30', what: 'a session that is being finished may be closed once more', suite: 'contract', in: 'test_store_chunk', test: 'closing',
		file: 'db/store_finish.c', old: '\tcase SESSION_FINISHING:\n\t\treturn ERR_AGAIN;\n', new: '\tcase SESSION_FINISHING:\n\t\tbreak;\n',
	},
	{
		id: 'B31a', what: 'everybody may touch everything', suite: 'e2e', in: 'access', test: 'owner_rules_for_uploads', control: 'uploading_stays_open',
		file: 'fcgi/proto/proto_common.c', old: '\tif (c->admin || c->trusted)\n', new: '\tif (c->a)\n',
	},
	{
		id: 'B31b', what: 'any key is good', suite: 'e2e', in: 'access', test: 'listing_and_metrics_need_an_identity', control: 'uploading_stays_open',
		file: 'fcgi/guard.c', old: '\t\tif (digest_equal(keys->v[i].hash, hash, sizeof hash)) {\n', new: '\t\tif (sizeof hash) {\n',
	},
	{
		id: 'B31c', what: 'REQUIRE_AUTH requires nothing', suite: 'e2e', in: 'access', test: 'require_auth', control: 'uploading_stays_open',
		file: 'fcgi/app_handle.c', old: '\tif (!e && cfg->require_auth && !(flags & ROUTE_PUBLIC) && !c->owner[0])\n', new: '\tif (0)\n',
	},
	{
		id: 'B31d', what: 'FORCE_HTTPS forces nothing', suite: 'e2e', in: 'access', test: 'force_https', control: 'uploading_stays_open',
		file: 'fcgi/guard.c', old: 'return !cfg->force_https || guard_is_https(cfg, req) ?', new: 'return !req || guard_is_https(cfg, req) || cfg ?',
	},
	{
		id: 'B31e', what: 'metadata of a chunk may be of any length', suite: 'e2e', test: 'B31_limits_and_checks_of_ids',
		file: 'fcgi/proto/proto_tus.c', old: '\tif (strlen(value) > (size_t)max)\n', new: '\tif (0)\n',
	},
	{
		id: 'B31f', what: 'a chunk by form may be of any size', suite: 'e2e', test: 'B31_limits_and_checks_of_ids',
		file: 'fcgi/upload/put.c', old: '\tif (p->size + (int64_t)n > p->h->cfg->max_chunk_size)\n', new: '\tif (0)\n',
	},
	{
		id: 'B31g', what: 'any text is a session id', suite: 'e2e', test: 'B31_limits_and_checks_of_ids',
		file: 'fcgi/proto/proto_common.c', old: '\tif (name_session_id(sid, uuid))\n', new: '\tif (sid)\n',
	},
	{
		id: 'B32a', what: 'the request id of the client is not taken over', suite: 'e2e', test: 'B32_metrics_structured_log_and_request_ids',
		file: 'fcgi/app_handle.c', old: '\t\treturn given;\n', new: '\t\t;\n',
	},
	{
		id: 'B32b', what: 'requests are not logged', suite: 'e2e', test: 'B32_metrics_structured_log_and_request_ids',
		file: 'fcgi/app_handle.c', old: '\twrite_log(&c, route, e, us);\n', new: '',
	},
	{
		id: 'B32c', what: 'requests are not counted', suite: 'e2e', test: 'B32_metrics_structured_log_and_request_ids',
		file: 'fcgi/app_handle.c', old: '\tmetrics_request(app->house.metrics,', new: '\tif (0)\n\t\tmetrics_request(app->house.metrics,',
	},
	{
		id: 'B33a', what: 'what the client said of its recording is not in the note', suite: 'e2e', test: 'B33_metadata_keeps_the_real_type',
		file: 'fcgi/upload/recording.c', old: 'client ? client : json_obj()', new: 'json_obj()',
	},
	{
		id: 'B33b', what: 'the size of a wav is compared with its webm', suite: 'e2e', test: 'B33_metadata_keeps_the_real_type',
		file: 'fcgi/proto/proto_fallback.c', old: '\t\tif (!text_eq_nocase(ext, "wav") && json_int(', new: '\t\tif (json_int(',
	},

	/* ---- durability ---- */
	{
		id: 'D1', what: 'a finished file is named before its bytes are synced', suite: 'contract', in: 'test_blob', test: 'test_publish_is_durable',
		file: 'fcgi/blob/blob_publish.c', old: '\tenum err e = blob_sync(part);\n\tif (e)\n\t\treturn e;\n\t/* After', new: '\tenum err e = ERR_OK;\n\t/* After',
	},
	{
		id: 'D2', what: 'the folder of a new part file is not synced', suite: 'contract', in: 'test_blob', test: 'test_entries_are_durable',
		file: 'fcgi/blob/blob_file.c', old: '\treturn st.st_size ? ERR_OK : blob_dir_sync(dir);\n', new: '\treturn ERR_OK;\n',
	},
	{
		id: 'D3', what: 'an interrupted rename is not made durable by the next run', suite: 'contract', in: 'test_blob', test: 'test_publish_is_durable',
		file: 'fcgi/blob/blob_publish.c', old: '\te = blob_dir_sync(p->folder);\n\treturn e || p->shard < 0 ?', new: '\treturn e || p->shard < 0 ?',
	},
	{
		id: 'D4', what: 'the lock between processes is not taken', suite: 'contract', in: 'test_hold', test: 'test_hand_over_between_processes',
		file: 'fcgi/upload/hold_lock.c', old: '\tif (e || lock_call(h, key, F_OFD_SETLK, &l, F_WRLCK) == 0)\n', new: '\tif (e || !l.l_len || 1)\n',
	},
	{
		id: 'D5', what: 'a displaced writer is told that all is well', suite: 'e2e', in: 'parallel', test: 'two_patches_at_the_same_offset_one_wins', control: 'twenty_fallback_chunks_at_once',
		file: 'fcgi/upload/append.c', old: 'ERR_STOPPING : ERR_DISPLACED;', new: 'ERR_STOPPING : ERR_OK;',
	},
	{
		id: 'D6', what: 'what a failing operation has written stays in the batch', suite: 'contract', in: 'test_store_commit', test: 'an_operation_fails_alone',
		file: 'db/store_commit.c', old: '\tenum err u = e ? sql_run(t->h, SQL_SAVE_UNDO, NO_BINDS) : ERR_OK;\n', new: '\tenum err u = ERR_OK;\n',
	},
	{
		id: 'D7', what: 'a complete chunk is replaced in its place', suite: 'contract', in: 'test_store_chunk', test: 'a_complete_chunk_again',
		file: 'fcgi/model/session.c', old: '\tif (done)\n\t\treturn;\n', new: '\tif (done) {\n\t\tout->parked = false;\n\t\tout->base = done->base;\n\t\treturn;\n\t}\n',
	},
	{
		id: 'D8', what: 'the space behind a short write is told as written', suite: 'contract', in: 'test_blob', test: 'test_short_and_interrupted_writes',
		file: 'fcgi/blob/blob_file.c', old: '\twhile (*written < n) {\n\t\tssize_t w = pwrite', new: '\tfor (bool once = true; once; once = false, *written = n) {\n\t\tssize_t w = pwrite',
	},
	// Struck at random moments, and compared with what clients were told.
	{
		id: 'D9', what: 'bytes are not synced', suite: 'power', args: POWER,
		file: 'fcgi/blob/blob_file.c', old: 'return fdatasync(fd) < 0 ?', new: 'return fd < 0 ?',
	},
	{
		id: 'D10', what: 'a chunk is committed before its bytes are synced', suite: 'power', args: POWER,
		file: 'fcgi/upload/put.c',
		old: '\t\tif (!e)\n\t\t\te = blob_sync(p->fd);\n\t}\n\tp->size = size;\n\treturn e ? e : chunk_complete(p->h, p->a, &r.u, size, &out->finish_session, &out->exists);',
		new: '\t}\n\tp->size = size;\n\te = e ? e : chunk_complete(p->h, p->a, &r.u, size, &out->finish_session, &out->exists);\n\treturn e || size == 0 ? e : blob_sync(p->fd);',
	},
	{
		id: 'D11', what: 'a complete chunk is committed without a sync', suite: 'power', args: [...POWER, '--level', 'normal'],
		file: 'db/store_chunk.c', old: '\treturn store_do(s, done_run, &d, true);', new: '\treturn store_do(s, done_run, &d, false);',
	},
	{
		id: 'D21', what: 'folders are not synced', suite: 'replay', args: REPLAY,
		file: 'fcgi/blob/blob_root.c', old: '\tif (fsync(dir) == 0 || errno == EINVAL)\n', new: '\tif (dir >= 0)\n',
	},
	{
		id: 'D22', what: 'bytes are not synced', suite: 'replay', args: REPLAY,
		file: 'fcgi/blob/blob_file.c', old: 'return fdatasync(fd) < 0 ?', new: 'return fd < 0 ?',
	},
	{
		id: 'D23', what: 'a chunk is committed before its bytes are synced', suite: 'replay', args: REPLAY,
		file: 'fcgi/upload/put.c',
		old: '\t\tif (!e)\n\t\t\te = blob_sync(p->fd);\n\t}\n\tp->size = size;\n\treturn e ? e : chunk_complete(p->h, p->a, &r.u, size, &out->finish_session, &out->exists);',
		new: '\t}\n\tp->size = size;\n\te = e ? e : chunk_complete(p->h, p->a, &r.u, size, &out->finish_session, &out->exists);\n\treturn e || size == 0 ? e : blob_sync(p->fd);',
	},
	{
		id: 'D24', what: 'a complete chunk is committed without a sync', suite: 'replay', args: [...REPLAY.slice(0, -1), 'normal'],
		file: 'db/store_chunk.c', old: '\treturn store_do(s, done_run, &d, true);', new: '\treturn store_do(s, done_run, &d, false);',
	},
	{
		id: 'D12', what: 'the lock between processes is not taken', suite: 'storm', args: STORM,
		file: 'fcgi/upload/hold_lock.c', old: '\tif (e || lock_call(h, key, F_OFD_SETLK, &l, F_WRLCK) == 0)\n', new: '\tif (e || !l.l_len || 1)\n',
	},
	{
		id: 'D13', what: 'an offset lies past the data', suite: 'storm', args: STORM,
		file: 'fcgi/upload/append.c', old: '\t\te = append_move(ap, end, reason != ERR_OK, reason && kept);', new: '\t\te = append_move(ap, end + (reason == ERR_CUT), reason != ERR_OK, reason && kept);',
	},
	{
		id: 'D14', what: 'a displaced writer is told that all is well', suite: 'storm', args: STORM,
		file: 'fcgi/upload/append.c', old: 'ERR_STOPPING : ERR_DISPLACED;', new: 'ERR_STOPPING : ERR_OK;',
	},
	{
		id: 'D15', what: 'a complete chunk is replaced in its place', suite: 'storm', args: STORM,
		file: 'fcgi/model/session.c', old: '\tif (done)\n\t\treturn;\n', new: '\tif (done) {\n\t\tout->parked = false;\n\t\tout->base = done->base;\n\t\treturn;\n\t}\n',
	},
	{
		id: 'H1', what: 'HEAD does not ask the writer for what it has', suite: 'contract', in: 'test_handover', test: 'same_process_silent', control: 'alone',
		file: 'fcgi/upload/upload.c', old: '\t\thold_ask(h->holds, HOLD_UPLOAD(u->n), wait_ms);\n', new: '',
	},
	{
		id: 'H2', what: 'a displaced writer is told that all is well, behind other doors', suite: 'contract', in: 'test_handover', test: 'plain_cgi_silent', control: 'alone',
		file: 'fcgi/upload/append.c', old: 'ERR_STOPPING : ERR_DISPLACED;', new: 'ERR_STOPPING : ERR_OK;',
	},
	{
		id: 'H3', what: 'every thread waits for the rest of a refused body', suite: 'unit', in: 'test_gateway', test: 'a_crowd_of_silent_refused_bodies', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_send.c', old: 'atomic_fetch_add(&drainers, 1) < drainers_max', new: 'atomic_fetch_add(&drainers, 1) < 1000',
	},
	{
		id: 'R1', what: 'a reload ends running bodies', suite: 'contract', in: 'test_supervise', test: 'a_reload_refuses_nobody_and_cuts_nobody', control: 'one_supervisor_a_folder',
		file: 'fcgi/gateway/gw_pool.c', old: 'return sig == SIGUSR1 || sig == SIGHUP;', new: 'return false;',
	},
	{
		id: 'R2', what: 'a stop is lost on a worker that begins', suite: 'contract', in: 'test_supervise', test: 'a_stop_is_heard_while_workers_begin', control: 'one_supervisor_a_folder',
		file: 'fcgi/gateway/gw_fcgi.c', old: '\tsignal(SIGTERM, SIG_DFL);\n', new: '',
	},
	{
		id: 'R3', what: 'workers that start again read a broken settings file', suite: 'contract', in: 'test_supervise', test: 'wrong_settings_change_nothing', control: 'one_supervisor_a_folder',
		file: 'fcgi/supervise_proc.c', old: 'if (t->settings >= 0 &&', new: 'if (false &&',
	},
	{
		id: 'R4', what: 'new settings are adopted before anybody serves with them', suite: 'contract', in: 'test_supervise', test: 'a_reload_waits_for_workers_that_serve', control: 'one_supervisor_a_folder',
		file: 'fcgi/supervise_reload.c', old: 'n += t->w[i].pid != 0 && t->w[i].ready;', new: 'n += t->w[i].pid != 0;',
	},
	{
		id: 'L1', what: 'a silent body holds its upload for ever', suite: 'contract', in: 'test_slow', test: 'a_silent_body_is_cut_and_kept', control: 'a_trickle_is_cut_and_kept',
		file: 'fcgi/gateway/gw_fcgi.c', old: 'if (c->since && now - c->since', new: 'if (false && now - c->since',
	},
	{
		id: 'L2', what: 'a trickle holds its upload for ever', suite: 'contract', in: 'test_slow', test: 'a_trickle_is_cut_and_kept', control: 'a_silent_body_is_cut_and_kept',
		file: 'fcgi/gateway/gw_send.c', old: 'if (p->min_rate == 0 ||', new: 'if (p->min_rate >= 0 ||',
	},
	{
		id: 'L3', what: 'below the low-water mark uploads begin', suite: 'fault', in: 'test_space', test: 'the_mark_is_twice_the_reserve', control: 'a_quota_is_a_full_disk',
		file: 'fcgi/upload/upload.c', old: 'return least < mark ||', new: 'return',
	},
	{
		id: 'L4', what: 'whoever copies a recording hears no signal', suite: 'unit', in: 'test_gateway', test: 'ticks', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_pool.c', old: '\t\t\tgw_tick(pool.app);\n', new: '\t\t\tpool.app->tick(pool.app->self);\n',
	},
	{
		id: 'L5', what: 'finishing gives its slot back before it begins', suite: 'http', in: 'test_admission', test: 'finishing_keeps_the_slot_of_its_body', control: 'slots_come_back',
		file: 'fcgi/app_handle.c', old: 'bool more = c->res->after ||', new: 'bool more =',
	},
	{
		id: 'L6', what: 'finishing that comes without a body takes any thread', suite: 'http', in: 'test_admission', test: 'finishing_without_a_slot_is_left_to_the_tick', control: 'slots_come_back',
		file: 'fcgi/app_handle.c', old: '\tif (!hall.slot && c->res->after)\n', new: '\tif (0)\n',
	},
	{
		id: 'L7', what: 'what was left to the tick is forgotten', suite: 'http', in: 'test_admission', test: 'finishing_without_a_slot_is_left_to_the_tick', control: 'slots_come_back',
		file: 'fcgi/app.c', old: '__atomic_exchange_n(&app->unfinished, false, __ATOMIC_ACQUIRE) || now', new: 'now',
	},
	{
		id: 'L8', what: 'a pause of ours is the slowness of a client', suite: 'unit', in: 'test_pace', test: 'standing_still_is_nobodys_pace', control: 'who_is_slow_is_cut',
		file: 'fcgi/gateway/gw_send.c', old: 'if (us <= most + PACE_LATE_US)', new: 'if (true)',
	},
	{
		id: 'L9', what: 'who is judged by what was read, though more is there', suite: 'unit', in: 'test_pace', test: 'what_is_there_counts', control: 'who_is_slow_is_cut',
		file: 'fcgi/gateway/gw_send.c', old: 'if (d->more && d->more(d))', new: 'if (false)',
	},
	{
		id: 'L10', what: 'plain CGI that was stopped cuts who goes on', suite: 'unit', in: 'test_gateway', test: 'cgi_that_was_stopped_waits_on', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_cgi.c', old: '#define TURNS 8 ', new: '#define TURNS 1 ',
	},
	{
		id: 'L11', what: 'bodies take threads that are not there', suite: 'http', in: 'test_admission', test: 'the_reserve_is_of_threads_that_are_there', control: 'slots_come_back',
		file: 'fcgi/app.c', old: '(n < cfg->threads ? n : cfg->threads) -', new: '(n < 0 ? n : cfg->threads) -',
	},
	{
		id: 'L12', what: 'a pool that had no threads for a moment is small for ever', suite: 'unit', in: 'test_gateway', test: 'threads_that_are_not_there', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_pool.c', old: 'if (pool.told < pool.conf.max_threads && ', new: 'if (false && ',
	},
	{
		id: 'L13', what: 'answered connections take all descriptors', suite: 'unit', in: 'test_gateway', test: 'a_crowd_and_few_descriptors', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_linger.c', old: 'linger.n < linger.max &&', new: 'linger.n < 1024 &&',
	},
	{
		id: 'H4', what: 'every thread waits for the close of an answered connection', suite: 'unit', in: 'test_gateway', test: 'a_crowd_of_silent_refused_bodies', control: 'whole_bodies',
		file: 'fcgi/gateway/gw_fcgi.c', old: 'int keep = gw_linger_ready() &&', new: 'int keep = false &&',
	},
	{
		id: 'H5', what: 'who reads no letters keeps everybody else from getting any', suite: 'contract', in: 'test_hold', test: 'test_hand_over_past_the_deaf', control: 'test_hand_over_between_processes',
		edits: [
			{
				file: 'fcgi/upload/hold_mail.c', old: '\tstruct post p = {.from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};\n',
				new: '\tstatic int from = -1;\n\tfrom = from < 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : from;\n\tstruct post p = {.from = from};\n',
			},
			{ file: 'fcgi/upload/hold_mail.c', old: '\tclose(p.from);\n', new: '' },
		],
	},
	{
		id: 'D16', what: 'a sync that failed is tried again and believed', suite: 'fault', in: 'test_kth', test: 'patch_long',
		file: 'fcgi/upload/pour.c', old: 'f->sync_failed ? ERR_INTERNAL : blob_sync(f->p->fd)', new: 'blob_sync(f->p->fd)',
	},
	{
		id: 'D17', what: 'what could not be rolled back stays in the way of all that comes', suite: 'fault', in: 'test_kth', test: 'patch_rest',
		file: 'db/store_commit.c', old: '\ttx_rollback(s);\n\tif (s->sync != want) {', new: '\tif (s->sync != want) {',
	},
	{
		id: 'D18', what: 'an allocation that fails is taken for a fault of the client', suite: 'fault', in: 'test_kth', test: 'complete_parked',
		file: 'fcgi/proto/proto_fallback.c', old: 'if (e == ERR_NOMEM || (*out', new: 'if ((*out',
	},
	// The outbox and its hook.
	{
		id: 'E01', what: 'what failed alone is committed all the same', suite: 'contract', in: 'test_store_event', test: 'a_failed_operation_tells_nothing',
		file: 'db/store_commit.c', old: '\treturn any ? sql_run(&s->w, SQL_COMMIT, NO_BINDS) : ERR_OK;\n', new: '\t(void)any;\n\treturn sql_run(&s->w, SQL_COMMIT, NO_BINDS);\n',
	},
	{
		id: 'E02', what: 'no event waits for the hook', suite: 'contract', in: 'test_store_event', test: 'a_subject_waits_for_its_first_event',
		file: 'db/store_event.c', old: '? EVENT_WAITING : EVENT_UNWANTED;', new: '? EVENT_UNWANTED : EVENT_UNWANTED;',
	},
	{
		id: 'E03', what: 'a later event overtakes one that failed', suite: 'e2e', in: 'events', test: 'order_within_an_upload_and_not_between_uploads', control: 'refused_creations_are_told_within_bounds',
		file: 'db/store_sql.c', old: 'b.hook=1 AND b.subject=e.subject AND b.n<e.n', new: 'b.hook=9 AND b.subject=e.subject AND b.n<e.n',
	},
	{
		id: 'E04', what: 'an event counts as delivered before it is', suite: 'e2e', in: 'events', test: 'a_killed_consumer_delivers_again', control: 'refused_creations_are_told_within_bounds',
		file: 'db/store_sql.c', old: 'SET tries=tries+1,next=?2 WHERE', new: 'SET tries=tries+1,next=?2,hook=2 WHERE',
	},
	{
		id: 'E05', what: 'time drops what waits for the hook', suite: 'contract', in: 'test_store_event', test: 'what_waits_for_a_hook_is_kept_while_there_is_one',
		file: 'db/store_sql.c', old: '(hook<>1 OR ?2=0)', new: '(hook<>1 OR ?2>=0)',
	},
	{
		id: 'E06', what: 'a failed delivery is repeated at once', suite: 'e2e', in: 'events', test: 'a_post_is_signed_and_repeated_until_it_is_heard', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/model/event.c', old: '\t\tms *= 2;\n', new: '\t\tms *= 1;\n',
	},
	{
		id: 'E07', what: 'the signature does not cover the time', suite: 'unit', in: 'test_event', test: 'signatures_are_what_others_make',
		file: 'fcgi/hook/hook_event.c', old: 'strlen(secret), text, strlen(text), mac);', new: 'strlen(secret), body, strlen(body), mac);',
	},
	{
		id: 'E08', what: 'a redirect counts as heard', suite: 'e2e', in: 'events', test: 'a_post_is_signed_and_repeated_until_it_is_heard', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/hook/hook_post.c', old: 'status >= 200 && status < 300;', new: 'status >= 200 && status < 400;',
	},
	{
		id: 'E09', what: 'one slow delivery keeps back all others', suite: 'e2e', in: 'events', test: 'a_hanging_hook_is_in_nobodys_way', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/hook/hook.c', old: '#define SLOTS 4 ', new: '#define SLOTS 1 ',
	},
	{
		id: 'E10', what: 'strangers fill the outbox with refusals', suite: 'e2e', in: 'events', test: 'refused_creations_are_told_within_bounds', control: 'tusctl_tells_and_follows',
		file: 'fcgi/app_reject.c', old: '#define PER_MINUTE 60', new: '#define PER_MINUTE 6000',
	},
	{
		id: 'E11', what: 'each chunk writes an event', suite: 'contract', in: 'test_store_event', test: 'a_session_tells_of_itself_not_of_its_chunks',
		file: 'db/store_chunk.c', old: '\te = frontier_step(t, s);\n\treturn e ? e : sql_run(t->h, SQL_SESSION_DONE,', new: '\te = frontier_step(t, s);\n\tif (!e)\n\t\te = event_session(t, EVENT_RESUMED, s, NULL, d->e->now);\n\treturn e ? e : sql_run(t->h, SQL_SESSION_DONE,',
	},
	{
		id: 'E12', what: 'a hook command is given the settings, secrets among them', suite: 'e2e', in: 'events', test: 'a_command_is_run_when_the_file_is_there', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/hook/hook_run.c', old: '\tenvironment(c, a, e, env);\n', new: '\tenvironment(c, a, e, env);\n\tenv[0] = "SECRET_KEY=told";\n',
	},
	{
		id: 'E13', what: 'only what happens in its own life is delivered', suite: 'e2e', in: 'events', test: 'what_was_committed_is_delivered_after_the_whole_pool_was_killed', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/hook/hook.c', old: '\t\tif (is_running(h, due[i].n))\n', new: '\t\tstatic int64_t born;\n\t\tborn = born ? born : clock_now();\n\t\tif (is_running(h, due[i].n) || due[i].time < born)\n',
	},
	{
		id: 'E14', what: 'an old database is called new and left as it is', suite: 'contract', in: 'test_store_commit', test: 'an_old_database_goes_on',
		file: 'db/store_migrate.c', old: '\t\te = sql_exec(db, step[v]);\n', new: '\t\te = from > 0 ? ERR_OK : sql_exec(db, step[v]);\n',
	},
	{
		id: 'E15', what: 'a body that is whole at last was never resumed', suite: 'e2e', in: 'events', test: 'a_command_is_run_when_the_file_is_there', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/upload/append.c', old: '\tif (whole && ap->resumed && end > ap->at)\n', new: '\tif (whole && ap->resumed && end < ap->at)\n',
	},
	{
		id: 'E16', what: 'tusctl hooks delivers beside the pool', suite: 'e2e', in: 'events', test: 'without_a_pool_tusctl_delivers', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/hook/hook.c', old: 'flock(fd, LOCK_EX | (block', new: 'flock(fd, LOCK_SH | (block',
	},
	{
		id: 'E17', what: 'events are told from the first on, whatever was asked', suite: 'e2e', in: 'events', test: 'tusctl_tells_and_follows', control: 'refused_creations_are_told_within_bounds',
		file: 'fcgi/ctl_events.c', old: 'a, v->after, e, v->left', new: 'a, v->after > 1 ? v->after : 0, e, v->left',
	},
	{
		id: 'E18', what: 'a hook command can read the settings, secrets among them', suite: 'contract', in: 'test_supervise_hooks', test: 'the_settings_are_for_workers_only_and_for_reading', control: 'new_settings_are_the_supervisors_matter',
		file: 'fcgi/hook/hook_run.c', old: 'if (close_range(3, ~0U, 0) != 0)', new: 'if (false)',
	},
	{
		id: 'E19', what: 'who reads the settings of the pool can change them', suite: 'contract', in: 'test_supervise_hooks', test: 'the_settings_are_for_workers_only_and_for_reading', control: 'new_settings_are_the_supervisors_matter',
		file: 'fcgi/supervise_proc.c', old: 'F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL', new: 'F_SEAL_SEAL',
	},
	{
		id: 'E20', what: 'SIGHUP to everybody breaks off a delivery', suite: 'contract', in: 'test_supervise_hooks', test: 'new_settings_are_the_supervisors_matter', control: 'the_settings_are_for_workers_only_and_for_reading',
		file: 'fcgi/hook/hook.c', old: '\tsigprocmask(SIG_BLOCK, &hangup, NULL);\n', new: '',
	},
	{
		id: 'E21', what: 'SIGQUIT breaks off a delivery', suite: 'contract', in: 'test_supervise_hooks', test: 'a_delivery_outlives_signals_to_everybody', control: 'new_settings_are_the_supervisors_matter',
		file: 'fcgi/hook/hook.c', old: 'SIGTERM, SIGINT, SIGQUIT, SIGUSR1', new: 'SIGTERM, SIGINT, SIGUSR1',
	},
	{
		id: 'E22', what: 'a hook that dies uses up the restarts of the workers', suite: 'contract', in: 'test_supervise_hooks', test: 'a_hook_that_dies_uses_up_no_workers_restarts', control: 'new_settings_are_the_supervisors_matter',
		file: 'fcgi/supervise.c', old: 'i == p->team.hooks ? &p->delivering : &p->serving', new: '&p->serving',
	},
	{
		id: 'D19', what: 'an operation that failed is committed with its neighbours', suite: 'fault', in: 'test_kth_batch', test: 'every_step',
		file: 'db/store_commit.c', old: 'if (torn || sqlite3_get_autocommit', new: 'if (sqlite3_get_autocommit',
	},
	{
		id: 'D20', what: 'a ledger that could be opened only for reading is taken', suite: 'fault', in: 'test_kth', test: 'open',
		file: 'db/store_open.c', old: 'sqlite3_db_readonly(db, "main") == 1', new: 'sqlite3_db_readonly(db, "main") == 2',
	},
	{
		id: 'N1', what: 'a remover does not look whether the name is still in the trash', suite: 'fault', in: 'test_races', test: 'a_late_remover_removes_nothing', control: 'what_was_given_up_is_removed_later',
		file: 'fcgi/upload/finished_name.c', old: 'if (e || !there)', new: 'if (e)',
	},
	{
		id: 'N2', what: 'two remove one name', suite: 'fault', in: 'test_races', test: 'a_name_has_one_remover', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finished_name.c', old: 'HOLD_NAME(name_number(sid, disk))', new: 'HOLD_NAME(name_number(sid, disk) + (intptr_t)hold)',
	},
	{
		id: 'N3', what: 'what is being finished anew is renamed', suite: 'fault', in: 'test_races', test: 'a_rename_meets_a_finishing', control: 'a_late_remover_removes_nothing',
		file: 'db/store_recording.c', old: 'if (e || s.state == SESSION_FINISHING)\n\t\treturn e ? e : ERR_LOCKED;', new: 'if (e)\n\t\treturn e;',
	},
	{
		id: 'N4', what: 'a renaming that was refused leaves its link', suite: 'fault', in: 'test_races', test: 'a_rename_meets_a_finishing', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finished_name.c', old: '\tremove_held(h, sid, disk);\n\thold_drop(claim);', new: '\t(void)h, (void)sid, (void)disk;\n\thold_drop(claim);',
	},
	{
		id: 'N5', what: 'a run is published under a name that is somebody\'s', suite: 'fault', in: 'test_races', test: 'a_run_takes_nobodys_name', control: 'a_late_remover_removes_nothing',
		edits: [
			{ file: 'fcgi/upload/reap_runs.c', old: 'enum err e = finished_claim(h, s->sid, r->disk, false, &claim);', new: 'enum err e = ERR_OK;\n\tclaim = NULL;' },
			{ file: 'fcgi/upload/reap_runs.c', old: 'store_recording_add(h->db, r, true, s->n)', new: 'store_recording_add(h->db, r, false, s->n)' },
		],
	},
	{
		id: 'N6', what: 'the file of a finishing that was given up stays for ever', suite: 'fault', in: 'test_races', test: 'what_was_given_up_is_removed_later', control: 'a_late_remover_removes_nothing',
		file: 'db/migrate_2.sql', old: 'WHEN new.state = 4 AND', new: 'WHEN new.state = 44 AND',
	},
	{
		id: 'N7', what: 'a backup takes a file by a name that is another one\'s by now', suite: 'contract', in: 'test_backup', test: 'names_pass_to_others', control: 'refusals',
		file: 'fcgi/upload/clone_done.c', old: '\tconst struct recording *r = what;\n', new: '\tconst struct recording *r = what;\n\tif (r->session) {\n\t\t*now = *r;\n\t\treturn ERR_OK;\n\t}\n',
	},
	{
		id: 'N8', what: 'what was deleted is adopted again', suite: 'contract', in: 'test_check', test: 'finished_files_are_adopted', control: 'strangers_stay',
		file: 'fcgi/ctl_check_files.c', old: 'e = store_trash_has(l->h->db, sid, disk, yes);', new: 'e = ERR_OK;',
	},
	{
		id: 'N9', what: 'a repair takes offsets back though nobody said so', suite: 'contract', in: 'test_check', test: 'lost_bytes_are_said_loudly', control: 'strangers_stay',
		file: 'fcgi/ctl_repair.c', old: 'if (!x->upload || !may->shorten)', new: 'if (!x->upload)',
	},
	{
		id: 'N10', what: 'what others keep free is reserved away', suite: 'fault', in: 'test_space', test: 'a_chunk_reserves_not_what_is_kept_free', control: 'a_reservation_keeps_its_room',
		file: 'fcgi/upload/append.c', old: '\tif (space_check(ap->h, p->room) != ERR_OK)\n\t\treturn blob_reserved(p->fd, p->at, p->room);\n', new: '',
	},
	{
		id: 'N11', what: 'a chunk loses what it had reserved', suite: 'fault', in: 'test_space', test: 'chunks_reserve_their_place', control: 'the_mark_is_twice_the_reserve',
		file: 'fcgi/upload/append.c', old: 'return blob_reserved(p->fd, p->at, p->room);', new: 'return false;',
	},
	{
		id: 'N21', what: 'a backup holds the bytes of a later recording under the earlier one\'s row', suite: 'contract', in: 'test_backup', test: 'a_recording_made_of_other_bytes_needs_new_rows', control: 'a_recording_that_grew_is_cut',
		file: 'fcgi/upload/clone_done.c', old: 'return now->n == r->n && !(stood && is_ending(live)) ? ERR_OK : ERR_AGAIN;', new: 'return ERR_OK;',
	},
	{
		id: 'N22', what: 'a backup takes the new file that has the name before the row', suite: 'contract', in: 'test_backup', test: 'a_recording_between_name_and_row', control: 'a_recording_that_grew_is_cut',
		file: 'fcgi/upload/clone_done.c', old: 'now->n == r->n && !(stood && is_ending(live))', new: 'now->n == r->n',
	},
	{
		id: 'N23', what: 'a backup holds half of a chunk and half of what replaced it', suite: 'fault', in: 'test_backup_races', test: 'a_chunk_is_joined_under_the_copy', control: 'a_session_ends_under_the_copy',
		file: 'fcgi/upload/clone_session.c', old: 'return e ? e : chunk_unjoined(c, s, k);', new: '(void)chunk_unjoined;\n\treturn e;',
	},
	{
		id: 'N12', what: 'the name that a renaming gives is not kept for it', suite: 'fault', in: 'test_races', test: 'a_new_name_is_nobody_elses', control: 'a_late_remover_removes_nothing',
		edits: [
			{ file: 'db/store_recording.c', old: '*yes = trash && !owned;', new: '*yes = !owned;' },
			{ file: 'fcgi/upload/finished_name.c', old: 'return e ? e : store_name_claim(h->db, sid, disk);', new: 'return e;' },
		],
	},
	{
		id: 'N13', what: 'a deleted recording takes another take\'s chunk with it', suite: 'fault', in: 'test_races', test: 'a_deleted_recording_takes_no_others_chunk', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/recording.c', old: 'file_remove_orphan(h, files->v[i], NULL, &removed);', new: 'removed = blob_remove(h->blobs, files->v[i]) == ERR_OK;',
	},
	{
		id: 'N14', what: 'what is being finished is given up', suite: 'fault', in: 'test_races', test: 'what_was_given_up_leaves_no_file', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/session.c', old: 'hold_take(h->holds, HOLD_SESSION(s->n)', new: 'hold_take(h->holds, HOLD_FILE(s->n)',
	},
	{
		id: 'N27', what: 'of a recording with a long name one run is offered, the others are taken for it', suite: 'contract', in: 'test_workshop', test: 'runs_of_a_long_name_are_all_offered', control: 'runs_wait_for_space',
		file: 'fcgi/model/name.c', old: 'size_t stem = utf8_cut(name, strlen(name), DISK_NAME_MAX > taken ? DISK_NAME_MAX - taken : 0);', new: 'size_t stem = strlen(name) + 0 * taken;',
	},
	{
		id: 'N28', what: 'a recording that is deleted meanwhile ends the whole backup', suite: 'fault', in: 'test_backup_races', test: 'a_recording_is_deleted_under_the_copy', control: 'a_session_ends_under_the_copy',
		file: 'fcgi/upload/clone_done.c', old: 'r->session ? store_session_failed(c->rows, r->session, true) : ERR_OK;', new: 'ERR_OK;',
	},
	{
		id: 'N29', what: 'an upload that is deleted meanwhile is called damaged', suite: 'fault', in: 'test_backup_races', test: 'an_upload_is_deleted_under_the_copy', control: 'a_session_ends_under_the_copy',
		file: 'fcgi/upload/clone.c', old: '\treturn clone_done_open(c, upload_live, u, &now, fd);', new: '\tenum err e = upload_live(c, u, &now);\n\treturn e ? e : blob_done_open(c->from->blobs, u->id, now.disk, fd);',
	},
	{
		id: 'N30', what: 'a finished file names a session that is forgotten', suite: 'contract', in: 'test_workshop', test: 'a_file_outlives_its_session', control: 'runs_wait_for_space',
		file: 'db/store_forget.c', old: '\t--*left;\n\tenum err e = sql_run(t->h, SQL_REC_UNLINK, BINDS(I(n)));\n\treturn e ? e : sql_run(t->h, SQL_SESSION_FORGET,', new: '\t--*left;\n\treturn sql_run(t->h, SQL_SESSION_FORGET,',
	},
	{
		id: 'N31', what: 'takes that are gone hide one that is being recorded', suite: 'contract', in: 'test_workshop', test: 'takes_that_are_gone_hide_none', control: 'runs_wait_for_space',
		file: 'db/store_sql.c', old: 'ORDER BY state=4,take DESC LIMIT', new: 'ORDER BY take DESC LIMIT',
	},
	{
		id: 'N41', what: 'a run of replaced chunks is taken for the one before', suite: 'fault', in: 'test_races', test: 'a_replaced_chunk_is_offered_too', control: 'a_run_waits_for_its_name',
		file: 'fcgi/upload/reap_runs.c', old: '\tenum err again = recover_round(h, a, s, r, true, made, all);', new: '\tenum err again = ERR_OK;',
	},
	{
		id: 'N42', what: 'runs of one size are taken for one', suite: 'fault', in: 'test_races', test: 'a_replaced_chunk_is_offered_too', control: 'a_run_waits_for_its_name',
		file: 'fcgi/upload/join.c', old: '\treturn e || same ? e : ERR_CONFLICT;', new: '\treturn e;',
	},
	{
		id: 'N43', what: 'a session that was deleted meanwhile gets a run', suite: 'fault', in: 'test_races', test: 'a_deleted_session_gets_no_runs', control: 'a_replaced_chunk_is_offered_too',
		file: 'fcgi/upload/reap_runs.c', old: 'store_recording_add(h->db, r, true, s->n)', new: 'store_recording_add(h->db, r, true, 0)',
	},
	{
		id: 'N44', what: 'a cut run is published', suite: 'fault', in: 'test_races', test: 'a_cut_run_is_not_published', control: 'a_deleted_session_gets_no_runs',
		file: 'fcgi/upload/reap_runs.c', old: 'e = r->size == run->bytes ? blob_publish(h->blobs, file, r->size, false, s->sid, r->disk) : ERR_AGAIN;', new: 'e = blob_publish(h->blobs, file, r->size, false, s->sid, r->disk);',
	},
	{
		id: 'N45', what: 'a backup takes a chunk from where it is no more', suite: 'fault', in: 'test_backup_races', test: 'a_finished_session_is_joined_under_the_copy', control: 'a_session_ends_under_the_copy',
		file: 'fcgi/upload/clone_session.c', old: 'if (!e && live.state != SESSION_GONE && live.file != s->file)', new: 'if (e)',
	},
	{
		id: 'N46', what: 'a run that cannot have its name keeps up all later ones', suite: 'fault', in: 'test_races', test: 'a_run_that_waits_keeps_up_no_others', control: 'a_run_waits_for_its_name',
		file: 'fcgi/upload/reap_runs.c', old: '\t\t\tbusy = e;', new: '\t\t\treturn e;',
	},
	{
		id: 'N47', what: 'a run that cannot have its name keeps up replaced chunks', suite: 'fault', in: 'test_races', test: 'a_run_that_waits_keeps_up_no_others', control: 'a_run_waits_for_its_name',
		file: 'fcgi/upload/reap_runs.c', old: 'if ((e && e != ERR_BUSY) || !*all)', new: 'if (e || !*all)',
	},
	{
		id: 'N48', what: 'what is due is taken for offered', suite: 'fault', in: 'test_races', test: 'runs_are_offered_before_they_go', control: 'a_replaced_chunk_is_offered_too',
		file: 'fcgi/upload/reap_runs.c', old: 'while (after == h->cfg->expiration || after == h->cfg->abandoned_after)', new: 'while (after < 0)',
	},
	{
		id: 'N24', what: 'a half copy keeps the full disk full', suite: 'fault', in: 'test_apart', test: 'a_copy_that_failed_is_not_kept', control: 'deleting_an_upload_frees_its_copy',
		file: 'fcgi/blob/blob_publish.c', old: '\tif (e || yes)\n\t\tunlinkat', new: '\tif (yes)\n\t\tunlinkat',
	},
	{
		id: 'N25', what: 'what a killed process copied outlives its upload', suite: 'fault', in: 'test_apart', test: 'deleting_an_upload_frees_its_copy', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/upload/upload.c', old: '\t\tblob_copy_remove(h->blobs, u->file, u->id);\n', new: '',
	},
	{
		id: 'N26', what: 'the reaper sees no copies', suite: 'fault', in: 'test_apart', test: 'the_reaper_removes_what_nobody_goes_on_with', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/upload/reap.c', old: 'return e || blobs_same_device(s->h->blobs) ?', new: 'return e || true ?',
	},
	{
		id: 'CK01', what: 'a body that has to be checked is published in its middle', suite: 'http', in: 'test_checksum', test: 'a_running_body_is_not_published', control: 'check_101_102_109_announced',
		file: 'fcgi/upload/append.c', old: '\t\tp.check = &check;\n\telse\n\t\tp.publish = append_publish;\n', new: '\t\tp.check = &check;\n\tp.publish = append_publish;\n',
	},
	{
		id: 'CK02', what: 'the row moves, then the digest is compared', suite: 'http', in: 'test_checksum', test: 'check_104_105_mismatch_and_match', control: 'check_108_empty',
		file: 'fcgi/upload/append.c', old: '\tif (p.check)\n\t\te = append_judge(ap, &got, &check);\n\treturn e ? e : append_settle(ap, &got);\n',
		new: '\te = append_settle(ap, &got);\n\treturn e || !p.check ? e : append_judge(ap, &got, &check);\n',
	},
	{
		id: 'CK03', what: 'of a body that was cut the bytes are kept though they are not checked', suite: 'http', in: 'test_checksum', test: 'check_107_cut', control: 'check_108_empty',
		edits: [
			{ file: 'fcgi/upload/append.c', old: '/* Of a checked body that was cut,', new: 'static enum err append_settle(struct append *ap, const struct poured *got);\n/* Of a checked body that was cut,' },
			{ file: 'fcgi/upload/append.c', old: '\tif (reason) {\n\t\tdigest_check_drop(check);\n\t\treturn reason;\n', new: '\tif (reason) {\n\t\tdigest_check_drop(check);\n\t\treturn append_settle(ap, got);\n' },
		],
	},
	{
		id: 'CK04', what: 'a deferred length is set before the match', suite: 'http', in: 'test_checksum', test: 'deferred_length', control: 'check_108_empty',
		file: 'fcgi/upload/append.c', old: '\tif (!e && cmd->wants.n == 0)\n', new: '\tif (!e)\n',
	},
	{
		id: 'CK05', what: 'an empty body is not checked', suite: 'http', in: 'test_checksum', test: 'check_108_empty', control: 'check_107_cut',
		file: 'fcgi/upload/append.c', old: 'digest_check_bytes(ap->wants, "", 0)', new: 'ERR_OK',
	},
	{
		id: 'CK06', what: 'an upload whose first bytes do not match stays', suite: 'http', in: 'test_checksum', test: 'check_082_creation', control: 'check_107_cut',
		file: 'fcgi/proto/proto_tus.c', old: 'if (e == ERR_TOO_LARGE || e == ERR_CHECKSUM) {', new: 'if (e == ERR_TOO_LARGE) {',
	},
	{
		id: 'CK07', what: 'a chunk that is sent again is not checked', suite: 'http', in: 'test_checksum', test: 'chunks', control: 'check_107_cut',
		file: 'fcgi/upload/chunk.c', old: '\t\tdigest_check_add(check, buf, (size_t)got);\n', new: '\t\t(void)check;\n',
	},
	{
		id: 'CK08', what: 'an algorithm that we do not have is not checked', suite: 'http', in: 'test_checksum', test: 'check_103_106_malformed', control: 'check_107_cut',
		file: 'fcgi/proto/proto_checksum.c', old: '\tif (!out->alg)\n\t\treturn ERR_INVALID;\n', new: '\tif (!out->alg)\n\t\treturn *out = (struct digest_want){.alg = digest_by_tus("crc32", 5)}, ERR_OK;\n',
	},
	{
		id: 'CK09', what: 'one of several digests is enough', suite: 'http', in: 'test_checksum', test: 'content_digest', control: 'check_107_cut',
		file: 'fcgi/base/digest.c', old: '\t\t\te = ERR_CHECKSUM;\n', new: '\t\t\te = i ? e : ERR_CHECKSUM;\n',
	},
	{
		id: 'CK10', what: 'a checksum that is not offered is not looked at', suite: 'http', in: 'test_checksum', test: 'without_extensions', control: 'check_107_cut',
		file: 'fcgi/proto/proto_checksum.c', old: '\t\treturn call_refuse(c, ERR_INVALID, "Upload-Checksum is not offered here");', new: '\t\treturn ERR_OK;',
	},
	{
		id: 'CK11', what: 'the bytes of a CRC are turned round', suite: 'unit', in: 'test_digest', test: 'vectors', control: 'both_ways_agree',
		file: 'fcgi/base/digest.c', old: '(24 - 8 * i)', new: '(8 * i)',
	},
	{
		id: 'CK12', what: 'the last bytes of a step are lost', suite: 'unit', in: 'test_digest', test: 'both_ways_agree', control: 'names',
		file: 'fcgi/base/crc32c.c', old: '\tfor (; n >= 8; u += 8, n -= 8)\n', new: '\tfor (; n > 8; u += 8, n -= 9)\n',
	},
	{
		id: 'FD1', what: 'a finished file is removed while its note is being written', suite: 'fault', in: 'test_races', test: 'a_removed_file_leaves_no_note', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/file_digest.c', old: '\tif (e)\n\t\treturn e;\n\te = store_recording_get(h->db, a, r->sid, r->disk, &now);', new: '\tif (e)\n\t\treturn e;\n\thold_drop(name);\n\tname = NULL;\n\te = store_recording_get(h->db, a, r->sid, r->disk, &now);',
	},
	{
		id: 'FD2', what: 'a digest is written beside the name that a file had', suite: 'fault', in: 'test_races', test: 'a_renamed_file_gets_its_digest', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/file_digest.c', old: 'note_named(h, a, &now, hex)', new: 'note_named(h, a, r, hex)',
	},
	{
		id: 'FD3', what: 'who finishes a recording anew meets its digest and is forgotten', suite: 'fault', in: 'test_races', test: 'a_finishing_is_done_for_who_was_sent_away', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/file_digest.c', old: '\t\tsession_finish(h, r->session);\n\treturn e;\n}\n\nenum err recording_digest', new: '\t\t(void)s;\n\treturn e;\n}\n\nenum err recording_digest',
	},
	{
		id: 'FD4', what: 'a row has its digest before its note has', suite: 'fault', in: 'test_kth', test: 'digest', control: 'put',
		edits: [
			{ file: 'fcgi/upload/file_digest.c', old: '\tif (!e) {\n\t\tconst char *text = note_with', new: '\tif (!e)\n\t\te = store_recording_digest(h->db, r->n, hex);\n\tif (!e) {\n\t\tconst char *text = note_with' },
		],
	},
	{
		id: 'FD5', what: 'what is left of a digest by a process that died is never made', suite: 'http', in: 'test_file_digest', test: 'what_has_none_gets_it', control: 'in_the_answers',
		file: 'fcgi/upload/reap.c', old: '\tif (!e && digest_is_wanted(h))\n', new: '\tif (false)\n',
	},
	{
		id: 'FD6', what: 'a process that ends reads on', suite: 'http', in: 'test_file_digest', test: 'a_stop_does_not_wait', control: 'in_the_answers',
		file: 'fcgi/upload/reading.c', old: '\t\tif (__atomic_load_n(&h->stopping, __ATOMIC_RELAXED))\n', new: '\t\tif (false)\n',
	},
	{
		id: 'FD7', what: 'an upload is complete before it is found that it must not be', suite: 'http', in: 'test_file_digest', test: 'a_promise_is_checked', control: 'in_the_answers',
		file: 'fcgi/upload/append_complete.c', old: '\tif (e)\n\t\treturn e == ERR_CHECKSUM ? append_unwanted(ap)', new: '\tif (e && e != ERR_CHECKSUM)\n\t\treturn e == ERR_CHECKSUM ? append_unwanted(ap)',
	},
	{
		id: 'FD8', what: 'a whole file is read without a slot', suite: 'http', in: 'test_file_digest', test: 'the_check_takes_a_slot', control: 'in_the_answers',
		file: 'fcgi/proto/proto_common.c', old: 'return !reads || c->slot(c) ? ERR_OK : ERR_BUSY;', new: 'return !reads || true ? ERR_OK : ERR_BUSY;',
	},
	{
		id: 'FD9', what: 'an error tells the digest of the file', suite: 'http', in: 'test_file_digest', test: 'in_the_answers', control: 'of_sessions',
		file: 'fcgi/proto/proto_send.c', old: '\t\tif (plan == SEND_NOT_MODIFIED)\n', new: '',
	},
	{
		id: 'FD10', what: 'two read the same file for its digest', suite: 'http', in: 'test_file_digest', test: 'one_reader', control: 'of_sessions',
		file: 'fcgi/upload/file_digest.c', old: 'hold_take(h->holds, HOLD_DIGEST(n),', new: 'hold_take(h->holds, HOLD_DIGEST(n + 1000000),',
	},
	{
		id: 'DA1', what: 'a length that is told when all bytes are there is taken for the end, whatever the draft says', suite: 'http', in: 'test_draft_mixed', test: 'a_length_is_not_the_end', control: 'names',
		file: 'fcgi/upload/append.c', old: '\tbool full = ap->end == END_NEVER && ap->plan.length == ap->u.offset;',
		new: '\tbool full = false;',
	},
	{
		id: 'DA2', what: 'what the draft has made is forgotten as its own when it is deleted', suite: 'http', in: 'test_draft_mixed', test: 'gone_is_gone', control: 'names',
		file: 'fcgi/proto/proto_draft.c', old: '\t*yes = u.is_explicit;',
		new: '\t*yes = e == ERR_OK && u.is_explicit;',
	},
	{
		id: 'DA3', what: 'who made an upload cannot be found out, so HEAD is that of tus and completes it', suite: 'fault', in: 'test_kth', test: 'draft_head_bare', control: 'draft_head',
		file: 'fcgi/proto/proto_draft.c', old: '\treturn e == ERR_NOT_FOUND || e == ERR_GONE ? ERR_OK : e;\n',
		new: '\treturn ERR_OK;\n',
	},
	{
		id: 'DA4', what: 'an append of nothing to a complete upload says that it is not complete', suite: 'http', in: 'test_draft_mixed', test: 'complete_is_not_told_as_incomplete', control: 'names',
		file: 'fcgi/upload/append.c', old: '\t\tout->complete = ap.u.state == UPLOAD_FINISHING || ap.u.state == UPLOAD_COMPLETE;\n',
		new: '',
	},
	{
		id: 'DA5', what: 'the draft deletes where the operator lets nobody delete', suite: 'http', in: 'test_draft_mixed', test: 'no_termination', control: 'names',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\t\te = tus_termination(c);\n',
		new: '\t\te = ERR_OK;\n',
	},
	{
		id: 'DA6', what: 'of too many metadata pairs none is ever read again', suite: 'http', in: 'test_draft_mixed', test: 'too_many_pairs', control: 'names',
		file: 'fcgi/proto/proto_draft_create.c', old: '#define OWN_PAIRS 3 ',
		new: '#define OWN_PAIRS 0 ',
	},
	{
		id: 'DA7', what: 'offsets of the draft are taken back by a power cut', suite: 'replay',
		args: ['--seconds', '3', '--states', '100', '--first', '--order', 'strict', '--level', 'normal'],
		file: 'fcgi/upload/append.c', old: 'm.full = ap->u.is_explicit || m.make_explicit;',
		new: 'm.full = false;',
	},
	{
		id: 'DA8', what: 'an upload of the draft is complete at its length, under any load', suite: 'storm', args: STORM,
		file: 'fcgi/upload/append.c', old: '\tif (ap->end == END_NEVER || got->err)',
		new: '\tif (got->err)',
	},
	{
		id: 'DA9', what: 'the draft does not ask whose an upload is', suite: 'http', in: 'test_draft_mixed', test: 'no_way_round', control: 'names',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\treturn e ? e : call_may(c, u->owner, false);',
		new: '\treturn e;',
	},
	{
		id: 'DA10', what: 'who speaks the draft needs no identity', suite: 'http', in: 'test_draft_mixed', test: 'no_way_round', control: 'names',
		file: 'fcgi/app_handle.c', old: '\tif (!e && cfg->require_auth && !(flags',
		new: '\tif (!e && !c->draft && cfg->require_auth && !(flags',
	},
	{
		id: 'DA11', what: 'answers about uploads of the draft are problems for everybody', suite: 'http', in: 'test_draft_mixed', test: 'others_read_json', control: 'names',
		file: 'fcgi/app_handle.c', old: 'c->draft ? DRAFT_PROBLEM_TYPE : "application/json"',
		new: 'true ? DRAFT_PROBLEM_TYPE : "application/json"',
	},
	{
		id: 'DA12', what: 'a page of any origin creates uploads without asking', suite: 'http', in: 'test_draft_mixed', test: 'pages_of_others', control: 'names',
		file: 'fcgi/proto/proto_draft.c', old: '\treturn *yes || creates ? ERR_OK : made_by_draft(c, yes);',
		new: '\t*yes |= creates;\n\treturn *yes ? ERR_OK : made_by_draft(c, yes);',
	},
	{
		id: 'DA13', what: 'of each ordinary upload that is cut what came stays', suite: 'http', in: 'test_draft_mixed', test: 'all_in_one_request', control: 'names',
		file: 'fcgi/proto/proto_draft_create.c', old: '\treturn e == ERR_CUT && cmd->end == END_WITH_BODY &&',
		new: '\treturn e == ERR_AGAIN && cmd->end == END_WITH_BODY &&',
	},
	{
		id: 'DA14', what: 'who can still be told of his upload finds nothing of it', suite: 'http', in: 'test_draft_mixed', test: 'all_in_one_request', control: 'names',
		file: 'fcgi/proto/proto_draft_create.c', old: ' && !body->timed_out && body->taken < body->length;',
		new: ';',
	},
	{
		id: 'DA15', what: 'a body without a protocol is not checked', suite: 'http', in: 'test_checksum', test: 'a_plain_body', control: 'check_107_cut',
		file: 'fcgi/upload/upload.c', old: '.max_size = h->cfg->tus_max_size, .wants = *wants};',
		new: '.max_size = h->cfg->tus_max_size};',
	},
	{
		id: 'DA16', what: 'an empty body without a protocol is not checked', suite: 'http', in: 'test_checksum', test: 'a_plain_body', control: 'check_107_cut',
		file: 'fcgi/upload/upload.c', old: 'enum err e = body->length == 0 ? digest_check_bytes(wants, "", 0) : ERR_OK;',
		new: 'enum err e = ERR_OK;',
	},
	{
		id: 'FD11', what: 'what a creation wished to be told is forgotten', suite: 'http', in: 'test_file_digest', test: 'draft_wishes', control: 'in_the_answers',
		file: 'fcgi/upload/file_digest.c', old: '\t\t*tell = digest_by_tus(text, n);\n', new: '',
	},
	{
		id: 'FD12', what: 'what the draft says of the whole is not read', suite: 'http', in: 'test_file_digest', test: 'draft_promises', control: 'in_the_answers',
		file: 'fcgi/proto/proto_draft_create.c', old: '\t\te = draft_repr_digests(c, &repr);\n', new: '\t\trepr.n = 0;\n',
	},
	{
		id: 'FD13', what: 'a digest that is not wanted is told', suite: 'http', in: 'test_file_digest', test: 'in_the_answers', control: 'of_sessions',
		file: 'fcgi/proto/proto_checksum.c', old: 'return preference(want_repr(c), alg) == 0;', new: 'return preference(want_repr(c), alg) == 11;',
	},
	{
		id: 'DA17', what: 'HEAD of tus tells that all is there before it is known to be what was promised', suite: 'http', in: 'test_draft_mixed', test: 'a_promise_comes_first', control: 'names',
		file: 'fcgi/upload/upload.c', old: 'return wants.n > 0 ? ERR_LOCKED : ERR_OK;',
		new: 'return ERR_OK;',
	},
	{
		id: 'DA18', what: 'HEAD of tus waits for a promise that nobody has made', suite: 'http', in: 'test_draft_mixed', test: 'a_promise_comes_first', control: 'names',
		file: 'fcgi/upload/upload.c', old: 'return wants.n > 0 ? ERR_LOCKED : ERR_OK;',
		new: 'return ERR_LOCKED;',
	},
	{
		id: 'N51', what: 'a DELETE of what is just being finished says that it is finished', suite: 'fault', in: 'test_races', test: 'what_is_held_is_not_given_up', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/session.c', old: '(int)h->cfg->lock_wait_ms, &hold, NULL);\n\tif (e)\n\t\treturn e;\n\te = give_up_held', new: '(int)h->cfg->lock_wait_ms, &hold, NULL);\n\tif (e)\n\t\treturn ERR_OK;\n\te = give_up_held',
	},
	{
		id: 'N52', what: 'a recording that is finished anew takes its place before its row can follow', suite: 'fault', in: 'test_races', test: 'what_was_finished_outlives_a_finishing', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finish.c', old: '\tenum err e = note_begin(h, &r, s);\n', new: '\tenum err e = part_publish(h, s->file, s->bytes, false, s->sid, s->out_name);\n\tif (!e)\n\t\te = note_begin(h, &r, s);\n',
	},
	{
		id: 'N53', what: 'the bytes of the new file are given for those of the old row', suite: 'fault', in: 'test_races', test: 'a_file_waits_for_its_row', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/recording.c', old: '*yes = !newer;', new: '*yes = true;',
	},
	{
		id: 'N54', what: 'what has its new file already is given up', suite: 'fault', in: 'test_races', test: 'a_file_waits_for_its_row', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/session.c', old: 'if (seen || published)', new: 'if (seen)',
	},
	{
		id: 'N55', what: 'cancelled bytes stay behind those of a finished file', suite: 'fault', in: 'test_races', test: 'a_cancelled_rest_leaves_the_file', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finished_name.c', old: 'blob_done_cut(h->blobs, r->sid, r->disk, r->size);', new: '(void)blob_done_cut;',
	},
	{
		id: 'N56', what: 'the web server sends what is not finished', suite: 'http', in: 'test_recordings', test: 'by_the_web_server', control: 'ranges',
		file: 'fcgi/proto/proto_send.c', old: '&& size == r->size)', new: '&& size >= r->size)',
	},
	{
		id: 'N57', what: 'a DELETE that has published a new file gives it up', suite: 'fault', in: 'test_races', test: 'what_is_published_by_a_delete_is_not_given_up', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/session.c', old: 'seen = session_overtakes(h, a, &now, &published);', new: 'seen = session_overtakes(h, a, s, &published);',
	},
	{
		id: 'N58', what: 'a copy that is as long as the file before it is taken for that', suite: 'fault', in: 'test_races', test: 'a_copy_waits_for_its_row', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finish.c', old: 'else if (!e && size == s->bytes)', new: 'else if (0)',
	},
	{
		id: 'N59', what: 'what is not joined yet is taken for published', suite: 'fault', in: 'test_races', test: 'a_copy_waits_for_its_row', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finish.c', old: ' || !s->out_name || !plan_constant_time(s))', new: ' || !s->out_name)',
	},
	{
		id: 'N60', what: 'the note of a finishing that failed stays', suite: 'fault', in: 'test_races', test: 'what_was_finished_keeps_its_note', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/finish.c', old: '\tif (e)\n\t\tblob_note_drop(', new: '\tif (e)\n\t\tblob_note_end(',
	},
	{
		id: 'N61', what: 'full parts keep recordings from being finished on another device', suite: 'fault', in: 'test_apart', test: 'full_parts_keep_nothing_from_being_finished', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/upload/upload_finish.c', old: 'e || done - (size', new: 'e || (parts < done ? parts : done) - (size',
	},
	{
		id: 'N62', what: 'a half copy must have room for the whole', suite: 'fault', in: 'test_apart', test: 'a_half_copy_needs_room_for_the_rest', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/upload/upload_finish.c', old: 'done - (size - there) >=', new: 'done - (size - 0 * there) >=',
	},
	{
		id: 'N63', what: 'a half copy for whose rest there is no room stays', suite: 'fault', in: 'test_apart', test: 'a_half_copy_without_room_is_not_kept', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/upload/upload_finish.c', old: '\tblob_copy_remove(h->blobs, file, sid);\n\treturn ERR_NO_SPACE;', new: '\treturn ERR_NO_SPACE;',
	},
	{
		id: 'N64', what: 'a finished session keeps a part file that it does not need', suite: 'fault', in: 'test_apart', test: 'a_finished_recording_needs_no_part', control: 'a_copy_that_failed_is_not_kept',
		file: 'db/store_sql.c', old: 'FROM session WHERE file=?1 AND state NOT IN (2,3))', new: 'FROM session WHERE file=?1)',
	},
	{
		id: 'N65', what: 'so do its chunks', suite: 'fault', in: 'test_apart', test: 'a_finished_recording_needs_no_part', control: 'a_copy_that_failed_is_not_kept',
		file: 'db/store_sql.c', old: 'COALESCE(s.file<>?1 OR s.state NOT IN (2,3),1))', new: '1)',
	},
	{
		id: 'N66', what: 'the reaper takes the part file of what is about to go on', suite: 'fault', in: 'test_races', test: 'what_is_about_to_go_on_is_no_orphan', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/chunk_reserve.c', old: 'HOLD_FILE(s->file)', new: 'HOLD_FILE(s->file + 1000)',
	},
	{
		id: 'N67', what: 'a half written note outlives its file', suite: 'contract', in: 'test_blob', test: 'test_note_link_open_remove', control: 'test_links_are_refused',
		file: 'fcgi/blob/blob_done.c', old: ', {".", BLOB_NOTE_NEW_SUFFIX}', new: '',
	},
	{
		id: 'N68', what: 'a chunk that comes when its recording is deleted is refused', suite: 'fault', in: 'test_races', test: 'who_goes_on_with_what_is_deleted_begins_anew', control: 'a_late_remover_removes_nothing',
		file: 'fcgi/upload/chunk_reserve.c', old: 'return e == ERR_NOT_FOUND || e == ERR_GONE ? ERR_OK : e;', new: 'return e;',
	},
	{
		id: 'L21', what: 'a worker takes the reload that is its supervisor\'s', suite: 'contract', in: 'test_supervise', test: 'wrong_settings_change_nothing', control: 'a_reload_refuses_nobody_and_cuts_nobody',
		file: 'fcgi/supervise_proc.c', old: '\t\tsignal(SIGHUP, SIG_IGN);', new: '\t\t(void)SIGHUP;',
	},
	{
		id: 'L22', what: 'what is meant for workers ends the supervisor', suite: 'contract', in: 'test_supervise', test: 'wrong_settings_change_nothing', control: 'a_reload_refuses_nobody_and_cuts_nobody',
		file: 'fcgi/supervise.c', old: ' && sig != SIGUSR1)', new: ')',
	},
	{
		id: 'L23', what: 'plain CGI takes its own pauses for slowness', suite: 'unit', in: 'test_gateway', test: 'cgi_counts_no_pause_of_its_own', control: 'cgi_bodies',
		file: 'fcgi/gateway/gw_cgi.c', old: '*us += lasted < most ? lasted : most;', new: '*us += lasted + 0 * most;',
	},
	{
		id: 'L24', what: 'one look is all that an interrupted finishing gets', suite: 'contract', in: 'test_check', test: 'a_start_finishes', control: 'strangers_stay',
		file: 'fcgi/app.c', old: ' || now >= app->next_look)', new: ')',
	},
	{
		id: 'L25', what: 'a HEAD completes an upload and forgets its finishing', suite: 'fault', in: 'test_apart', test: 'a_head_leaves_nothing_unfinished', control: 'a_copy_that_failed_is_not_kept',
		file: 'fcgi/proto/proto_tus.c', old: '\t\te = upload_settle(c->house, c->a, &u, true, &out);\n\tcall_later(c, out.finish_upload, out.finish_session);\n', new: '\t\te = upload_settle(c->house, c->a, &u, true, &out);\n',
	},
	{
		id: 'L26', what: 'HEAD tells what was read before the last writer went', suite: 'contract', in: 'test_workshop', test: 'who_asks_is_told_the_last_offset',
		file: 'fcgi/upload/upload.c', old: '\t\thold_ask(h->holds, HOLD_UPLOAD(u->n), wait_ms);\n\t\te = store_upload_by_n', new: '\t\tif (hold_ask(h->holds, HOLD_UPLOAD(u->n), SETTLE_MS))\n\t\t\te = store_upload_by_n',
	},
	{
		id: 'C0', what: 'a fixed term slides', suite: 'http', in: 'test_tus', test: 'check_097_absolute_expiry', control: 'check_034_052_types',
		file: 'fcgi/upload/append.c', old: '\t\treturn u->expires;\n', new: '\t\treturn u->expires + 86400;\n',
	},
	{
		id: 'C1', what: 'any upload may be a part', suite: 'http', in: 'test_concat', test: 'check_120_121_no_parts', control: 'check_117_partial',
		file: 'fcgi/proto/proto_concat.c', old: 'if (!e && part->concat != CONCAT_PARTIAL)', new: 'if (false)',
	},
	{
		id: 'C2', what: 'a part may name another host', suite: 'http', in: 'test_concat', test: 'check_120_121_no_parts', control: 'check_117_partial',
		file: 'fcgi/proto/proto_concat.c', old: 'if (!own_host(c, host))', new: 'if (!own_host(c, host) && !*host)',
	},
	{
		id: 'C3', what: 'a part file goes with its first user', suite: 'http', in: 'test_concat', test: 'check_115_either_is_deleted', control: 'check_117_partial',
		file: 'fcgi/upload/upload.c', old: 'return e || known ? e : blob_remove(h->blobs, u->file);', new: 'return e ? e : blob_remove(h->blobs, u->file);',
	},
	{
		id: 'C4', what: 'a final upload takes the only name of its parts\' bytes', suite: 'http', in: 'test_concat', test: 'check_115_either_is_deleted', control: 'check_117_partial',
		file: 'fcgi/upload/upload_finish.c', old: 'part_publish(h, u->file, u->length, shared,', new: 'part_publish(h, u->file, u->length, false,',
	},
	{
		id: 'C5', what: 'nobody looks for final uploads whose parts have come', suite: 'http', in: 'test_concat', test: 'check_129_after_a_restart', control: 'check_117_partial',
		file: 'fcgi/upload/reap_upload.c', old: '\treturn final_join(h, a, n);', new: '\treturn h && a ? ERR_OK : final_join(h, a, n);',
	},
	{
		id: 'C6', what: 'the bytes of a deleted part go at once', suite: 'http', in: 'test_concat', test: 'a_part_is_deleted_while_others_run', control: 'check_117_partial',
		file: 'db/store_sql.c', old: 'own=CASE WHEN state=2 AND EXISTS', new: 'own=CASE WHEN state=9 AND EXISTS',
	},
	{
		id: 'C7', what: 'a hook is told of ingredients', suite: 'http', in: 'test_concat', test: 'check_130_only_the_final_one_is_told_of', control: 'check_117_partial',
		file: 'db/store_event.c', old: '\tif (u->concat == CONCAT_PARTIAL)\n\t\treturn ERR_OK;\n', new: '',
	},
	{
		id: 'C8', what: 'two final uploads write into one file', suite: 'http', in: 'test_concat', test: 'check_123_parts_again', control: 'check_117_partial',
		file: 'db/store_part.c', old: ' || p.own != OWN_ALONE || p.base != 0', new: ' || p.base != 0',
	},
	{
		id: 'C9', what: 'HEAD tells an offset of what is not joined', suite: 'http', in: 'test_concat', test: 'check_126_129_parts_that_still_run', control: 'check_117_partial',
		file: 'fcgi/proto/proto_tus.c', old: 'joining ? NO_OFFSET : u.offset', new: 'u.offset',
	},
	{
		id: 'C10', what: 'a part expires under the final upload that waits for others', suite: 'http', in: 'test_concat', test: 'check_100_parts_of_what_waits_stay', control: 'check_117_partial',
		file: 'fcgi/upload/reap_upload.c', old: 'if (!e && named)', new: 'if (!e && named && !h)',
	},
	{
		id: 'C11', what: 'a final upload takes bytes', suite: 'http', in: 'test_concat', test: 'check_118_127_final', control: 'check_117_partial',
		file: 'fcgi/model/upload.c', old: 'return u->concat == CONCAT_FINAL ?', new: 'return u->concat == CONCAT_FINAL && u->n < 0 ?',
	},
	{
		id: 'C12', what: 'a final upload waits for what never comes', suite: 'http', in: 'test_concat', test: 'a_running_part_is_deleted', control: 'check_117_partial',
		file: 'fcgi/upload/final.c', old: '\tif (sum.ready + sum.running < sum.parts)\n\t\treturn final_give_up', new: '\tif (sum.parts < 0)\n\t\treturn final_give_up',
	},
	{
		id: 'C13', what: 'kept bytes stay for ever', suite: 'http', in: 'test_concat', test: 'a_final_is_deleted_while_parts_run', control: 'check_117_partial',
		file: 'fcgi/upload/upload.c', old: 'final_kept_drop(h, &kept, !e);', new: 'final_kept_drop(h, &kept, false);',
	},
	{
		id: 'C14', what: 'the parts stand in the wrong order', suite: 'http', in: 'test_concat', test: 'check_118_127_final', control: 'check_117_partial',
		file: 'db/store_sql.c', old: 'AND seq>=?2 ORDER BY seq LIMIT ?3', new: 'AND seq>=?2 ORDER BY n DESC LIMIT ?3',
	},
	{
		id: 'C15', what: 'who may not write stops the one who joins', suite: 'fault', in: 'test_join', test: 'a_stranger_stops_nobody', control: 'a_deleted_part_lies_once',
		file: 'fcgi/proto/proto_tus.c', old: '\te = plan_takes(&u);\n', new: '',
	},
	{
		id: 'C16', what: 'the file of a part is adopted unseen', suite: 'fault', in: 'test_join', test: 'a_hole_is_no_part', control: 'a_deleted_part_lies_once',
		edits: [
			{ file: 'fcgi/upload/final.c', old: 'size < part->base + part->length)', new: 'size < 0)' },
			{ file: 'fcgi/upload/final.c', old: 'if (e || size >= j->u.offset)', new: 'if (e || size >= 0)' },
		],
	},
	{
		id: 'C17', what: 'a join goes on behind bytes that are not there', suite: 'fault', in: 'test_join', test: 'what_is_joined_is_looked_at', control: 'a_deleted_part_lies_once',
		file: 'fcgi/upload/final.c', old: 'if (e || size >= j->u.offset)', new: 'if (e || size >= 0)',
	},
	{
		id: 'C18', what: 'an answer waits for many small parts', suite: 'fault', in: 'test_join', test: 'many_parts_are_joined_behind_the_answer', control: 'a_deleted_part_lies_once',
		file: 'fcgi/upload/final.c', old: 'sum.parts <= QUICK_PARTS && ', new: '',
	},
	{
		id: 'C19', what: 'bytes that the last one has taken stay where they were', suite: 'fault', in: 'test_join', test: 'a_deleted_part_lies_once', control: 'a_hole_is_no_part',
		file: 'fcgi/upload/final.c', old: 'final_kept_drop(j->h, &kept, !e);', new: 'final_kept_drop(j->h, &kept, false);',
	},
	{
		id: 'C20', what: 'plain CGI that joins hears nobody', suite: 'fault', in: 'test_join', test: 'plain_cgi_lets_go', control: 'a_deleted_part_lies_once',
		file: 'fcgi/upload/final.c', old: '\tholds_poll(j->h->holds);\n', new: '',
	},
	{
		id: 'C21', what: 'a lower maximum undoes what was promised', suite: 'fault', in: 'test_join', test: 'a_lower_maximum_is_for_others', control: 'a_deleted_part_lies_once',
		file: 'fcgi/upload/final.c', old: 'j->u.length == LENGTH_UNKNOWN && sum.length', new: 'sum.length',
	},
	{
		id: 'C22', what: 'HEAD calls a part gone that a final upload keeps', suite: 'http', in: 'test_concat', test: 'check_100_parts_of_what_waits_stay', control: 'check_117_partial',
		file: 'fcgi/upload/upload.c', old: 'return e || named ? e : ERR_GONE;', new: 'return ERR_GONE;',
	},
	{
		id: 'C23', what: 'in a backup a final upload waits for bytes that are gone', suite: 'fault', in: 'test_backup_races', test: 'a_final_is_deleted_under_the_copy',
		control: 'an_upload_is_deleted_under_the_copy', file: 'fcgi/upload/clone.c', old: 'return e || u->concat != CONCAT_PARTIAL ? e : clone_finals_vanish(c, u);', new: 'return e;',
	},
	{
		id: 'C24', what: 'a backup takes other bytes for those of a part', suite: 'fault', in: 'test_backup_races', test: 'a_deleted_part_is_found_in_its_final',
		control: 'an_upload_is_deleted_under_the_copy', file: 'fcgi/upload/clone_concat.c', old: '\t\t\t*pos += length;', new: '\t\t\t*pos += page[i].length;',
	},
	{
		id: 'C25', what: 'a join does not follow a part that another one has moved', suite: 'fault', in: 'test_join', test: 'a_part_is_followed', control: 'a_deleted_part_lies_once',
		file: 'fcgi/upload/final.c', old: 'for (int i = 0; e == ERR_NOT_FOUND && i < MOVED_TRIES; i++) {', new: 'for (int i = 0; e == ERR_NOT_FOUND && i < 0; i++) {',
	},
	{
		id: 'C26', what: 'the file of a part goes before its row points elsewhere', suite: 'fault', in: 'test_kth', test: 'join_last', control: 'create',
		file: 'fcgi/upload/final.c', old: '\tenum err e = blob_sync(j->fd);\n\tif (!e)\n\t\te = store_final_took(', new: '\tblob_remove(j->h->blobs, part->file);\n\tenum err e = blob_sync(j->fd);\n\tif (!e)\n\t\te = store_final_took(',
	},
	{
		id: 'C27', what: 'the bytes of a part are copied and not synced', suite: 'fault', in: 'test_kth', test: 'join_last', control: 'create',
		file: 'fcgi/upload/final.c', old: '\tenum err e = blob_sync(j->fd);\n\tif (!e)\n\t\te = store_final_took(', new: '\tenum err e = j->fd < 0 ? blob_sync(j->fd) : ERR_OK;\n\tif (!e)\n\t\te = store_final_took(',
	},
	{
		id: 'C28', what: 'the bytes of a deleted part go under the final upload that waits', suite: 'storm', args: STORM,
		file: 'db/store_sql.c', old: 'own=CASE WHEN state=2 AND EXISTS', new: 'own=CASE WHEN state=9 AND EXISTS',
	},
	{
		id: 'C29', what: 'a part of a final upload that is made is no finding', suite: 'contract', in: 'test_ctl_parts', test: 'rows_that_name_nothing_are_told', control: 'it_all_comes_back',
		file: 'db/store_sql.c', old: 'WHERE concat=2 AND state=0) OR upload', new: 'WHERE concat=2) OR upload',
	},
	{
		id: 'C30', what: 'a backup leaves the bytes of a deleted part to who waits for them', suite: 'contract', in: 'test_ctl_parts', test: 'it_all_comes_back', control: 'rows_that_name_nothing_are_told',
		file: 'db/store_sql.c', old: 'OR (concat=1 AND own<>0)) ORDER BY n LIMIT ?3', new: 'OR (concat=1 AND state=2)) ORDER BY n LIMIT ?3',
	},
	{
		id: 'C31', what: 'tusctl check looks for no bytes of parts', suite: 'contract', in: 'test_ctl_parts', test: 'a_shared_file_that_is_lost', control: 'it_all_comes_back',
		file: 'fcgi/ctl_check_rows.c', old: '\t\treturn u->own != OWN_NOT;\n', new: '\t\treturn false;\n',
	},
	{
		id: 'C32', what: 'a final upload waits for a part that has no row', suite: 'contract', in: 'test_ctl_parts', test: 'a_final_without_a_part_is_given_up', control: 'it_all_comes_back',
		file: 'fcgi/upload/final.c', old: '\tif (sum.ready + sum.running < sum.parts)\n\t\treturn final_give_up', new: '\tif (sum.parts < 0)\n\t\treturn final_give_up',
	},
	{
		id: 'C33', what: 'a list of parts is taken that no HEAD can repeat behind Apache', suite: 'e2e', in: 'long_headers', test: 'HEAD_repeats_the_longest_list_of_parts',
		control: 'HEAD_repeats_the_longest_metadata',
		edits: [
			{ file: 'fcgi/proto/proto_concat.h', old: '#define CONCAT_TEXT_MAX 8000', new: '#define CONCAT_TEXT_MAX 8192' },
			{ file: 'tests/e2e/long_headers.test.mjs', old: 'LIST = 8000;', new: 'LIST = 8192;' },
		],
	},
	{
		id: 'C34', what: 'a final upload promises a time that its parts may not have', suite: 'http', in: 'test_concat', test: 'check_126_129_parts_that_still_run', control: 'check_117_partial',
		file: 'fcgi/proto/proto_tus.c', old: '\tif (u->concat != CONCAT_FINAL)\n\t\ttus_expires', new: '\tif (u->concat != CONCAT_NONE || c)\n\t\ttus_expires',
	},
	{
		id: 'C35', what: 'a final upload expires under the writer of its part', suite: 'http', in: 'test_concat', test: 'check_100_a_part_with_a_writer', control: 'check_117_partial',
		file: 'fcgi/upload/final.c', old: '\t*due = sum.ready + sum.running < sum.parts;', new: '\t*due = sum.ready + sum.running < sum.parts || sum.expires <= clock_now();',
	},
	{
		id: 'P1', what: 'an empty Upload-Metadata header is malformed', suite: 'e2e', in: 'clients_python', test: 'tuspy_whole_without_metadata', control: 'tuspy_chunks_with_metadata',
		file: 'fcgi/proto/proto_tus.c', old: '\tif (!value || !*value)\n\t\treturn ERR_OK;\n\tif (http_header_count(c->req, "Upload-Metadata")',
		new: '\tif (!value)\n\t\treturn ERR_OK;\n\tif (!*value || http_header_count(c->req, "Upload-Metadata")',
	},
	{
		id: 'P2', what: 'the list of extensions has blanks behind its commas', suite: 'e2e', in: 'clients_raw', test: 'tuskit_server_info', control: 'tuskit_background_upload_cut_and_resumed',
		file: 'fcgi/proto/proto_ext.c', old: '*all ? "," : ""', new: '*all ? ", " : ""',
	},
	{
		id: 'P3', what: 'a refusal repeats the offset that was sent', suite: 'e2e', in: 'clients_raw', test: 'tuskit_believes_the_offset_of_a_refusal', control: 'tuskit_server_info',
		file: 'fcgi/proto/proto_tus.c', old: '\ttus_offset(c, out->offset);\n\tif (e == ERR_OFFSET', new: '\ttus_offset(c, e == ERR_OFFSET ? 0 : out->offset);\n\tif (e == ERR_OFFSET',
	},
	{
		id: 'P4', what: 'the real method decides, whatever X-HTTP-Method-Override says', suite: 'e2e', in: 'clients_raw', test: 'java_whole_file_in_one_request', control: 'tuskit_server_info',
		file: 'fcgi/guard.c', old: 'if (!name || !*name || req->nseg < 1 ||', new: 'if (!name || *name || req->nseg < 1 ||',
	},
	{
		id: 'I01', what: 'an upload of the draft is complete at its length', suite: 'http', in: 'test_draft', test: 'all_bytes_are_not_the_end', control: 'created_whole',
		file: 'fcgi/upload/append.c', old: 'if (ap->end == END_NEVER || got->err)',
		new: 'if (got->err)',
	},
	{
		id: 'I02', what: 'the reaper completes it', suite: 'http', in: 'test_draft', test: 'all_bytes_are_not_the_end', control: 'created_whole',
		file: 'db/store_sql.c', old: 'offset=length AND explicit=0 AND',
		new: 'offset=length AND',
	},
	{
		id: 'I03', what: 'a query of the draft completes it', suite: 'http', in: 'test_draft', test: 'all_bytes_are_not_the_end', control: 'created_whole',
		file: 'fcgi/upload/upload.c', old: '&& (at_length || !u->is_explicit);',
		new: ';',
	},
	{
		id: 'I04', what: 'HEAD of tus does not complete it', suite: 'http', in: 'test_draft', test: 'begun_by_the_draft_ended_by_tus', control: 'created_whole',
		file: 'fcgi/upload/upload.c', old: '&& (at_length || !u->is_explicit);',
		new: '&& !u->is_explicit;',
	},
	{
		id: 'I05', what: 'version 3 says complete where it means incomplete', suite: 'http', in: 'test_draft', test: 'created_without_a_byte', control: 'a_form_is_no_part',
		file: 'fcgi/proto/proto_draft.c', old: '.complete = "Upload-Incomplete", ',
		new: '.complete = "Upload-Incomplete", .sense = true, ',
	},
	{
		id: 'I06', what: 'version 3: an append that says nothing is not the last one', suite: 'http', in: 'test_draft', test: 'what_is_not_said', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: '.absent_ends = true, ',
		new: '',
	},
	{
		id: 'I07', what: 'an append may have any type', suite: 'http', in: 'test_draft', test: 'the_type_of_an_append', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (d->partial_type && ',
		new: 'if (false && ',
	},
	{
		id: 'I08', what: 'a wrong offset has no problem type', suite: 'http', in: 'test_draft', test: 'another_offset', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tc->problem = "mismatching-upload-offset";\n',
		new: '',
	},
	{
		id: 'I09', what: 'the end of a last body may be another than its length', suite: 'http', in: 'test_draft', test: 'lengths_must_agree', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: '&& given != ends)',
		new: '&& given == ends + 1000)',
	},
	{
		id: 'I10', what: 'a last body may end before the length', suite: 'http', in: 'test_draft', test: 'lengths_must_agree', control: 'created_whole',
		file: 'fcgi/upload/append.c', old: 'e = got->proven ? ERR_INVALID : ERR_CUT;',
		new: 'e = ERR_OK;',
	},
	{
		id: 'I11', what: 'an end that nothing proves ends an upload', suite: 'http', in: 'test_draft', test: 'an_unproven_end_is_none', control: 'created_whole',
		file: 'fcgi/upload/append.c', old: 'ap->plan.length == LENGTH_UNKNOWN && got->proven && !got->cut',
		new: 'ap->plan.length == LENGTH_UNKNOWN && !got->cut',
	},
	{
		id: 'I12', what: 'an upload whose length was passed goes on', suite: 'http', in: 'test_draft', test: 'past_the_length', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (!passes || !c->draft->spoils || ',
		new: 'if (!passes || c || ',
	},
	{
		id: 'I13', what: 'too much for a complete upload removes it', suite: 'http', in: 'test_draft', test: 'past_the_length', control: 'created_whole',
		file: 'fcgi/upload/upload.c', old: 'if (!e && only_open && u.state != UPLOAD_OPEN)',
		new: 'if (!e && only_open && u.state > UPLOAD_GONE)',
	},
	{
		id: 'I14', what: '413 does not tell the limits', suite: 'http', in: 'test_draft', test: 'past_our_limits', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: '\tif (e == ERR_TOO_LARGE)\n\t\tdraft_limit(c, 0);\n',
		new: '',
	},
	{
		id: 'I15', what: 'version 7 answers an append to a complete upload again', suite: 'http', in: 'test_draft', test: 'complete_is_complete', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: '.spoils = true, .appended = 204, .lifetime = "max-age"},',
		new: '.spoils = true, .appended = 204, .lifetime = "max-age", .replays = true},',
	},
	{
		id: 'I16', what: 'a query may be half an append', suite: 'http', in: 'test_draft', test: 'queries_are_pure', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'for (int i = 0; d->pure && i < 3; i++)',
		new: 'for (int i = 3; d->pure && i < 3; i++)',
	},
	{
		id: 'I17', what: 'what is gone is 410 in every version', suite: 'http', in: 'test_draft', test: 'deleted', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'return e == ERR_GONE && c->draft->gone_is_unknown ?',
		new: 'return e == ERR__MAX && c->draft->gone_is_unknown ?',
	},
	{
		id: 'I18', what: 'GET does not tell the offset', suite: 'http', in: 'test_draft', test: 'get_asks_or_loads', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tif (u->state == UPLOAD_OPEN)\n\t\treturn true;\n',
		new: '',
	},
	{
		id: 'I19', what: 'of a field that came twice one counts', suite: 'http', in: 'test_draft', test: 'malformed_fields_are_not_there', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: 'if (!single(c->req, name) || !sf_integer',
		new: 'if (!sf_integer',
	},
	{
		id: 'I20', what: 'Content-Disposition is not read', suite: 'http', in: 'test_draft', test: 'what_http_says_of_it_is_kept', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: 'name ? name : field_disposition_name(c->a, http_header(c->req, "Content-Disposition"))',
		new: 'name',
	},
	{
		id: 'I21', what: 'the name in the path is not the name', suite: 'http', in: 'test_draft', test: 'put_and_post_to_upload', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: '"filename", name ? name : field',
		new: '"filename", field',
	},
	{
		id: 'I22', what: 'a part of a form is a form', suite: 'http', in: 'test_draft', test: 'a_form_is_no_part', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: 'if (!draft_flag(c, &last) || !last)',
		new: 'if (!draft_flag(c, &last))',
	},
	{
		id: 'I23', what: 'OPTIONS tells the limits of /files/ only', suite: 'http', in: 'test_draft', test: 'options_tell', control: 'created_whole',
		file: 'fcgi/app_handle.c', old: '\t\tif (route_creates(c->req))\n\t\t\tdraft_announce(c);\n',
		new: '',
	},
	{
		id: 'I24', what: 'a tus request with a header of the draft is one of the draft', suite: 'http', in: 'test_draft', test: 'tus_stays_tus', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: 'if (http_header(c->req, "Tus-Resumable"))',
		new: 'if (partial > 1)',
	},
	{
		id: 'I25', what: 'a request that names no protocol is one of the draft', suite: 'http', in: 'test_draft', test: 'tus_stays_tus', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: '*yes = u.is_explicit;\n',
		new: '*yes = e == ERR_OK;\n',
	},
	{
		id: 'I26', what: 'an upload of tus stays one when the draft appends', suite: 'http', in: 'test_draft', test: 'begun_by_tus_ended_by_the_draft', control: 'created_whole',
		file: 'fcgi/upload/append.c', old: '.make_explicit = ap->end != END_AT_LENGTH}',
		new: '.make_explicit = false}',
	},
	{
		id: 'I27', what: 'offsets of the draft are as durable as those of tus', suite: 'http', in: 'test_draft', test: 'offsets_are_durable', control: 'created_whole',
		file: 'fcgi/upload/append.c', old: 'm.full = ap->u.is_explicit || m.make_explicit;',
		new: 'm.full = false;',
	},
	{
		id: 'I28', what: 'an offset that tus has moved is told by the draft as it is', suite: 'http', in: 'test_draft', test: 'offsets_are_durable', control: 'created_whole',
		file: 'db/store_commit.c', old: 'return s->full ? ERR_OK : store_do(s, probe_run, NULL, true);',
		new: 'return ERR_OK;',
	},
	{
		id: 'I29', what: 'a body that does not match is told as tus does', suite: 'http', in: 'test_draft', test: 'content_digests', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tif (e == ERR_CHECKSUM)\n\t\treturn out->offset < 0 ? draft_broken', new: '\tif (false)\n\t\treturn out->offset < 0 ? draft_broken',
	},
	{
		id: 'I30', what: 'IETF_DRAFT is not looked at', suite: 'http', in: 'test_draft', test: 'switched_off', control: 'created_whole',
		file: 'fcgi/proto/proto_draft.c', old: '\tif (!c->house->cfg->ietf_draft)\n\t\treturn ERR_OK;\n\tconst struct draft *d = named(c);\n\tconst struct draft *as',
		new: '\tconst struct draft *d = named(c);\n\tconst struct draft *as',
	},
	{
		id: 'I31', what: 'the draft is told where a living writer was', suite: 'http', in: 'test_draft', test: 'a_writer_who_stays_is_waited_for', control: 'created_whole',
		file: 'fcgi/upload/upload.c', old: '&& hold_ask(h->holds, HOLD_UPLOAD(u->n), 0))\n\t\te = ERR_LOCKED;',
		new: '&& hold_ask(h->holds, HOLD_UPLOAD(u->n), 0))\n\t\te = ERR_OK;',
	},
	{
		id: 'I32', what: 'the draft appends to parts of a concatenation', suite: 'http', in: 'test_draft', test: 'parts_are_tus_alone', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'return !e && u->concat != CONCAT_NONE ? call_refuse',
		new: 'return !e && u->concat > CONCAT_FINAL ? call_refuse',
	},
	{
		id: 'I33', what: 'a creation with wrong lengths leaves an upload', suite: 'http', in: 'test_draft', test: 'lengths_must_agree', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: '\tupload_spoil(c->house, c->a, u->id);\n\tif (e == ERR_CHECKSUM)',
		new: '\tif (e == ERR_CHECKSUM)',
	},
	{
		id: 'I34', what: 'a creation that was cut does not tell what is safe', suite: 'http', in: 'test_draft', test: 'a_cut_creation_is_kept', control: 'created_whole',
		file: 'fcgi/proto/proto_draft_create.c', old: '\t\tlocate(c, u);\n\t\treturn e;',
		new: '\t\treturn e;',
	},
	{
		id: 'I35', what: 'the final answer does not say that it is one', suite: 'http', in: 'test_draft', test: 'created_whole', control: 'a_form_is_no_part',
		file: 'fcgi/proto/proto_draft_create.c', old: '\tdraft_complete(c, true);\n',
		new: '',
	},
	{
		id: 'I36', what: 'a last body that is cut does not tell the length', suite: 'http', in: 'test_draft', test: 'the_last_body_tells_the_length', control: 'a_form_is_no_part',
		file: 'fcgi/proto/proto_draft_create.c', old: '*length = ends != LENGTH_UNKNOWN ? ends : given;',
		new: '*length = given;',
	},
	{
		id: 'I37', what: 'any letter is a Boolean', suite: 'unit', in: 'test_sf', test: 'booleans', control: 'integers',
		file: 'fcgi/http/sf.c', old: 'good = from[1] == \'1\' || from[1] == \'0\';',
		new: 'good = from[1] != 0;',
	},
	{
		id: 'I38', what: 'an Integer may have any number of digits', suite: 'unit', in: 'test_sf', test: 'integers', control: 'booleans',
		file: 'fcgi/http/sf.c', old: '#define INTEGER_DIGITS 15',
		new: '#define INTEGER_DIGITS 19',
	},
	{
		id: 'I39', what: 'a malformed Dictionary is used as far as it goes', suite: 'unit', in: 'test_sf', test: 'the_last_of_a_key_counts', control: 'booleans',
		file: 'fcgi/http/sf.c', old: 'return more < 0 ? -1 : found;',
		new: 'return found;',
	},
	{
		id: 'P5', what: 'every version of the draft wants its type', suite: 'e2e', in: 'clients_js', test: 'js_draft_03', control: 'js_draft_05',
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (d->partial_type && !field_media', new: 'if (d && !field_media',
	},
	{
		id: 'P6', what: 'answers to appends have no offset, as the newer drafts allow', suite: 'e2e', in: 'clients_js', test: 'js_draft_05_chunks', control: 'js_chunks',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tdraft_offset(c, out->offset);\n\tif (e == ERR_OFFSET && out', new: '\tif (e)\n\t\tdraft_offset(c, out->offset);\n\tif (e == ERR_OFFSET && out',
	},
	{
		id: 'P7', what: 'pages may not read how far an upload is', suite: 'e2e', in: 'clients_browser', test: 'browser_js_one_patch', control: 'uppy_removed_file_is_terminated',
		file: 'fcgi/guard.c', old: '"Location, Upload-Offset, Upload-Length', new: '"Location, Upload-Length',
	},
	{
		id: 'P8', what: 'pages may not delete', suite: 'e2e', in: 'clients_browser', test: 'uppy_removed_file_is_terminated', control: 'uppy_cut',
		file: 'fcgi/guard.c', old: 'HEAD, POST, PUT, PATCH, DELETE, OPTIONS"', new: 'HEAD, POST, PUT, PATCH, OPTIONS"',
	},
	{
		id: 'DR01', what: 'a creation that goes on does not tell the URL', suite: 'e2e', in: 'conformance', test: 'D8-01', also: ['D-01', 'D3-01', 'D4-01', 'D5-01', 'D6-01', 'D7-01'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\tlocate(c, u);\n\treturn call_empty(c, 201);', new: '\treturn call_empty(c, 201);',
	},
	{
		id: 'DR02', what: 'the first bytes of a creation that goes on are not taken', suite: 'e2e', in: 'conformance', test: 'D4-02', also: ['D3-02', 'D5-02', 'D6-02', 'D7-02', 'D8-02'],
		file: 'fcgi/proto/proto_draft_create.c', old: 'return last || cmd.body != 0 ? fill(', new: 'return last ? fill(',
	},
	{
		id: 'DR03', what: 'a creation with all bytes does not complete', suite: 'e2e', in: 'conformance', test: 'D5-03', also: ['D3-03', 'D4-03', 'D6-03', 'D7-03', 'D8-03'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\tcmd.end = last ? END_WITH_BODY : END_NEVER;', new: '\tcmd.end = END_NEVER;',
	},
	{
		id: 'DR04', what: 'a complete creation without content goes on', suite: 'e2e', in: 'conformance', test: 'D6-04', also: ['D5-04', 'D7-04', 'D8-04'],
		file: 'fcgi/proto/proto_draft_create.c', old: 'return last || cmd.body != 0 ? fill(', new: 'return cmd.body != 0 ? fill(',
	},
	{
		id: 'DR05', what: 'PUT does not speak the draft', suite: 'e2e', in: 'conformance', test: 'D7-05', also: ['D3-05', 'D4-05', 'D5-05', 'D6-05', 'D8-05'],
		file: 'fcgi/proto/proto_plain.c', old: '\tif (c->draft)\n\t\treturn draft_create(c, f.name);', new: '\tc->draft = NULL;',
	},
	{
		id: 'DR06', what: 'a creation by a body of unknown length has none', suite: 'e2e', in: 'conformance', test: 'D3-06', also: ['D4-06', 'D5-06', 'D6-06', 'D7-06', 'D8-06'],
		file: 'fcgi/proto/proto_draft_create.c', old: 'return last || cmd.body != 0 ? fill(', new: 'return last || cmd.body > 0 ? fill(',
	},
	{
		id: 'DR07', what: 'lengths that differ in one request are all the same', suite: 'e2e', in: 'conformance', test: 'D7-07', also: ['D6-07', 'D8-07'],
		file: 'fcgi/proto/proto_draft_create.c', old: 'if (given != LENGTH_UNKNOWN && ends != LENGTH_UNKNOWN && given != ends)', new: 'if (0 && given != ends)',
	},
	{
		id: 'DR08', what: 'content codings are refused', suite: 'e2e', in: 'conformance', test: 'D8-08', also: ['D6-08', 'D7-08'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\tif (!draft_flag(c, &last))\n',
		new: '\tif (http_header(c->req, "Content-Encoding"))\n\t\treturn ERR_MEDIA_TYPE;\n\tif (!draft_flag(c, &last))\n',
	},
	{
		id: 'DR09', what: 'the file name of Content-Disposition is not kept', suite: 'e2e', in: 'conformance', test: 'D8-09', also: ['D3-09', 'D4-09', 'D5-09', 'D6-09', 'D7-09'],
		file: 'fcgi/proto/proto_draft_create.c', old: 'name ? name : field_disposition_name(c->a, http_header(c->req, "Content-Disposition"))', new: 'name',
	},
	{
		id: 'DR10', what: 'a query does not tell completeness', suite: 'e2e', in: 'conformance', test: 'D7-10',
		also: ['D3-10', 'D4-10', 'D5-10', 'D6-10', 'D8-10', 'D7-20', 'D7-45', 'D8-20'],
		file: 'fcgi/proto/proto_draft.c', old: '\tdraft_complete(c, u->state != UPLOAD_OPEN);\n', new: '',
	},
	{
		id: 'DR11', what: 'a query may be cached', suite: 'e2e', in: 'conformance', test: 'D8-11', also: ['D3-11', 'D4-11', 'D5-11', 'D6-11', 'D7-11'],
		file: 'fcgi/proto/proto_draft.c', old: '"Cache-Control", "no-store"', new: '"Cache-Control", "max-age=60"',
	},
	{
		id: 'DR12', what: 'a query with fields of a transfer is answered', suite: 'e2e', in: 'conformance', test: 'D4-12', also: ['D3-12', 'D5-12', 'D6-12'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'enum err e = pure(c, false);', new: 'enum err e = ERR_OK;',
	},
	{
		id: 'DR13', what: 'a query does not tell the length', suite: 'e2e', in: 'conformance', test: 'D8-13', also: ['D6-13', 'D7-13'],
		file: 'fcgi/proto/proto_draft.c', old: 'if (u->length != LENGTH_UNKNOWN)\n\t\thttp_res_addf', new: 'if (u->length == u->offset)\n\t\thttp_res_addf',
	},
	{
		id: 'DR14', what: 'what is not there is forbidden', suite: 'e2e', in: 'conformance', test: 'D5-14', also: ['D3-14', 'D4-14', 'D6-14', 'D7-14', 'D8-14'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tif (e == ERR_AGAIN)\n', new: '\tif (e == ERR_NOT_FOUND)\n\t\treturn ERR_FORBIDDEN;\n\tif (e == ERR_AGAIN)\n',
	},
	{
		id: 'DR15', what: 'a cancellation redirects', suite: 'e2e', in: 'conformance', test: 'D8-15',
		also: ['D3-15', 'D4-15', 'D5-15', 'D6-15', 'D7-15', 'D7-16', 'D8-16'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'return e ? answer(c, e) : call_empty(c, 204);', new: 'return e ? answer(c, e) : call_empty(c, 302);',
	},
	{
		id: 'DR16', what: 'what was cancelled is 410 in the old versions', suite: 'e2e', in: 'conformance', test: 'D3-16', also: ['D4-16', 'D5-16', 'D6-16'],
		file: 'fcgi/proto/proto_draft.c', old: '.gone_is_unknown = true, ', new: '',
	},
	{
		id: 'DR17', what: 'a cancellation with fields of a transfer is done', suite: 'e2e', in: 'conformance', test: 'D6-17', also: ['D3-17', 'D4-17', 'D5-17'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'enum err e = pure(c, true);', new: 'enum err e = ERR_OK;',
	},
	{
		id: 'DR18', what: 'a cancellation waits for the writer', suite: 'e2e', in: 'conformance', test: 'D8-18', also: ['D3-18', 'D4-18', 'D5-18', 'D6-18', 'D7-18'],
		file: 'fcgi/upload/upload.c', old: 'HOLD_NO_OFFSET, true, (int)h->cfg->lock_wait_ms, &hold, &asked);',
		new: 'HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, &asked);',
	},
	{
		id: 'DR19', what: 'GET of a complete upload does not tell its state', suite: 'e2e', in: 'conformance', test: 'D8-19',
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tif (c->draft)\n\t\tdraft_describe(c, u);\n\treturn false;', new: '\treturn false;',
	},
	{
		id: 'DR20', what: 'an append that is not the last one is 204 in the old versions', suite: 'e2e', in: 'conformance', test: 'D3-20', also: ['D4-20', 'D5-20', 'D6-20'],
		file: 'fcgi/proto/proto_draft.c', old: '.appended = 201', new: '.appended = 204',
	},
	{
		id: 'DR21', what: 'the final answer does not say that it is', suite: 'e2e', in: 'conformance', test: 'D8-21', also: ['D3-21', 'D4-21', 'D5-21', 'D6-21', 'D7-21', 'D-07'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\tdraft_complete(c, true);\n', new: '\tdraft_complete(c, false);\n',
	},
	{
		id: 'DR22', what: 'a last append without content does not complete', suite: 'e2e', in: 'conformance', test: 'D7-22', also: ['D5-22', 'D6-22', 'D8-22', 'D8-36'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'cmd->end = *last ? END_WITH_BODY', new: 'cmd->end = *last && cmd->body != 0 ? END_WITH_BODY',
	},
	{
		id: 'DR23a', what: 'an append that says nothing goes on in version 3', suite: 'e2e', in: 'conformance', test: 'D3-23',
		file: 'fcgi/proto/proto_draft.c', old: '.absent_ends = true, ', new: '',
	},
	{
		id: 'DR23b', what: 'an append that says nothing completes in the later versions', suite: 'e2e', in: 'conformance', test: 'D5-23', also: ['D4-23', 'D6-23'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '*last = d->absent_ends || ', new: '*last = true || ',
	},
	{
		id: 'DR24', what: '409 tells the offset that was wrong', suite: 'e2e', in: 'conformance', test: 'D7-24', also: ['D3-24', 'D4-24', 'D5-24', 'D6-24', 'D8-24'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tdraft_offset(c, expected);\n', new: '\tdraft_offset(c, provided);\n',
	},
	{
		id: 'DR25', what: 'the problem details of a mismatch are changed over', suite: 'e2e', in: 'conformance', test: 'D8-25', also: ['D6-25', 'D7-25'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '(long long)expected, (long long)provided);', new: '(long long)provided, (long long)expected);',
	},
	{
		id: 'DR26a', what: 'an append may have any type in the later versions', suite: 'e2e', in: 'conformance', test: 'D6-26', also: ['D7-26', 'D8-26'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (d->partial_type && !field', new: 'if (0 && !field',
	},
	{
		id: 'DR26b', what: 'an append must have the type in the old versions', suite: 'e2e', in: 'conformance', test: 'D4-26', also: ['D3-26', 'D5-26'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (d->partial_type && !field', new: 'if (!field',
	},
	{
		id: 'DR27', what: 'an append of unknown length is refused', suite: 'e2e', in: 'conformance', test: 'D5-27', also: ['D3-27', 'D4-27', 'D6-27', 'D7-27', 'D8-27'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '\tcmd->end = *last ? END_WITH_BODY',
		new: '\tif (cmd->body < 0)\n\t\treturn ERR_INVALID;\n\tcmd->end = *last ? END_WITH_BODY',
	},
	{
		id: 'DR28', what: 'a body that breaks off completes', suite: 'e2e', in: 'conformance', test: 'D8-28',
		also: ['D3-28', 'D4-28', 'D5-28', 'D6-28', 'D7-28', 'D4-30', 'D5-30', 'D7-30', 'D8-30'],
		file: 'fcgi/upload/append.c', old: '&& end == ap->plan.length;', new: '&& (end == ap->plan.length || got->cut);',
	},
	{
		id: 'DR29', what: 'of a body that breaks off nothing is kept', suite: 'e2e', in: 'conformance', test: 'D7-29', also: ['D3-29', 'D4-29', 'D5-29', 'D6-29', 'D8-29'],
		file: 'fcgi/upload/append.c', old: '\tint64_t end = ap->u.offset + got->stored;', new: '\tint64_t end = ap->u.offset + (got->cut ? 0 : got->stored);',
	},
	{
		id: 'DR30', what: 'a query tells the offset from before the writer let go', suite: 'e2e', in: 'conformance', test: 'D6-30',
		file: 'fcgi/upload/upload.c', old: 'wait_ms);\n\t\te = store_upload_by_n(h->db, a, u->n, u);\n', new: 'wait_ms);\n',
	},
	{
		id: 'DR31', what: 'an append does not ask the one that hangs', suite: 'e2e', in: 'conformance', test: 'D8-31', also: ['D3-31', 'D4-31', 'D5-31', 'D6-31', 'D7-31'],
		file: 'fcgi/upload/append.c', old: 'body, cmd->offset, true, (int)', new: 'body, cmd->offset, false, (int)',
	},
	{
		id: 'DR32', what: 'a query completes an upload that has its length', suite: 'e2e', in: 'conformance', test: 'D7-32', also: ['D3-32', 'D4-32', 'D5-32', 'D6-32', 'D8-32'],
		file: 'fcgi/upload/upload.c', old: '&& (at_length || !u->is_explicit);', new: ';',
	},
	{
		id: 'DR33', what: 'a last append does not tell the length', suite: 'e2e', in: 'conformance', test: 'D7-33', also: ['D4-33', 'D5-33', 'D6-33', 'D8-33'],
		file: 'fcgi/proto/proto_draft_create.c', old: '*length = ends != LENGTH_UNKNOWN ? ends : given;',
		new: '*length = c->req->method == HTTP_PATCH ? LENGTH_UNKNOWN : ends != LENGTH_UNKNOWN ? ends : given;',
	},
	{
		id: 'DR38', what: 'what has passed its length goes on', suite: 'e2e', in: 'conformance', test: 'D8-38',
		file: 'fcgi/proto/proto_draft.c', old: '.version = 8, COMPLETE, .partial_type = true, .spoils = true,', new: '.version = 8, COMPLETE, .partial_type = true,',
	},
	{
		id: 'DR34', what: 'what passes the length is taken for a fault of ours', suite: 'e2e', in: 'conformance', test: 'D6-34', also: ['D7-34', 'D8-34', 'D6-38', 'D7-38'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'return passes ? draft_inconsistent(c) : ERR_TOO_LARGE;', new: 'return ERR_BUSY;',
	},
	{
		id: 'DR35', what: 'an append to a complete upload is answered as if it had been taken', suite: 'e2e', in: 'conformance', test: 'D6-35', also: ['D7-35', 'D6-36'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'return call_refuse(c, ERR_INVALID, "The upload is complete");', new: 'return call_empty(c, 201);',
	},
	{
		id: 'DR36', what: 'version 7 replays the final answer', suite: 'e2e', in: 'conformance', test: 'D7-36',
		file: 'fcgi/proto/proto_draft.c', old: '.version = 7, COMPLETE,', new: '.version = 7, COMPLETE, .replays = true,',
	},
	{
		id: 'DR37', what: 'an append without an offset is one at 0', suite: 'e2e', in: 'conformance', test: 'D4-37', also: ['D3-37', 'D5-37', 'D6-37', 'D7-37', 'D8-37'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'if (!draft_integer(c, "Upload-Offset", &cmd->offset))',
		new: 'if (http_header(c->req, "Upload-Offset") && !draft_integer(c, "Upload-Offset", &cmd->offset))',
	},
	{
		id: 'DR40', what: 'a negative length is taken for one', suite: 'e2e', in: 'conformance', test: 'D8-40', also: ['D6-40', 'D7-40'],
		file: 'fcgi/proto/proto_draft.c', old: '&v) || v < 0)', new: '&v))',
	},
	{
		id: 'DR41', what: 'a number is one whatever follows', suite: 'e2e', in: 'conformance', test: 'D5-41', also: ['D3-41', 'D4-41', 'D6-41', 'D7-41', 'D8-41'],
		file: 'fcgi/http/sf.c', old: '\tskip_sp(&text);\n\treturn !*text;', new: '\treturn true;',
	},
	{
		id: 'DR42', what: 'any word or number means true', suite: 'e2e', in: 'conformance', test: 'D4-42', also: ['D5-42', 'D6-42', 'D7-42', 'D8-42'],
		file: 'fcgi/http/sf.c', old: 'm.type != SF_BOOLEAN)\n\t\treturn false;\n\t*out = m.boolean;', new: '0)\n\t\treturn false;\n\t*out = m.type != SF_BOOLEAN || m.boolean;',
	},
	{
		id: 'DR43', what: 'an item has no parameters', suite: 'e2e', in: 'conformance', test: 'D8-43', also: ['D3-43', 'D4-43', 'D5-43', 'D6-43', 'D7-43'],
		file: 'fcgi/http/sf.c', old: 'return read_bare(p, out) && read_parameters(p);', new: 'return read_bare(p, out);',
	},
	{
		id: 'DR44', what: 'OPTIONS tells no limits', suite: 'e2e', in: 'conformance', test: 'D6-44', also: ['D7-44', 'D8-44'],
		file: 'fcgi/proto/proto_draft.c', old: '\tlimit(c, d ? d : NEWEST, c->house->cfg->expiration);\n', new: '',
	},
	{
		id: 'DR45a', what: 'neither a creation nor a query tells the limits', suite: 'e2e', in: 'conformance', test: 'D8-45',
		file: 'fcgi/proto/proto_draft.c', old: '\tdraft_limit(c, u->state == UPLOAD_OPEN && u->expires > now ? u->expires - now : 0);\n', new: '\t(void)now;\n',
	},
	{
		id: 'DR45b', what: 'version 6 has the newer name of the lifetime', suite: 'e2e', in: 'conformance', test: 'D6-45',
		file: 'fcgi/proto/proto_draft.c', old: '"expires"', new: '"max-age"',
	},
	{
		id: 'DR46', what: '413 does not tell the limits', suite: 'e2e', in: 'conformance', test: 'D8-46', also: ['D6-46', 'D7-46'],
		file: 'fcgi/proto/proto_draft.c', old: '\tif (e == ERR_TOO_LARGE)\n\t\tdraft_limit(c, 0);\n', new: '',
	},
	{
		id: 'DR47', what: 'an append is not checked against its Content-Digest', suite: 'e2e', in: 'conformance', test: 'D8-47', also: ['D6-47', 'D7-47'],
		file: 'fcgi/proto/proto_draft_upload.c', old: 'enum err e = draft_digests(c, &cmd->wants);', new: 'enum err e = ERR_OK;',
	},
	{
		id: 'DR48', what: 'a creation is not checked against its Content-Digest', suite: 'e2e', in: 'conformance', test: 'D6-48', also: ['D7-48', 'D8-48'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\t\te = draft_digests(c, &cmd.wants);', new: '\t\te = ERR_OK;',
	},
	{
		id: 'DR49', what: 'a digest of an unknown algorithm is a mistake', suite: 'e2e', in: 'conformance', test: 'D8-49', also: ['D6-49', 'D7-49'],
		file: 'fcgi/proto/proto_checksum.c', old: '\t*out = all;\n\treturn ERR_OK;', new: '\t*out = all;\n\t*why = "none is known";\n\treturn all.n ? ERR_OK : ERR_INVALID;',
	},
	{
		id: 'DR50', what: 'Repr-Digest of a creation is not looked at', suite: 'e2e', in: 'conformance', test: 'D8-50', also: ['D6-50', 'D7-50'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\t\te = draft_repr_digests(c, &repr);', new: '\t\trepr.n = 0;',
	},
	{
		id: 'DR51', what: 'the answer to a whole upload does not tell its digest', suite: 'e2e', in: 'conformance', test: 'D6-51', also: ['D7-51', 'D8-51'],
		file: 'fcgi/proto/proto_draft_create.c', old: '\tcall_repr_tell(c, &out.told);\n\treturn draft_final(c, u);', new: '\treturn draft_final(c, u);',
	},
	{
		id: 'DR52', what: 'what is wished for at creation is forgotten', suite: 'e2e', in: 'conformance', test: 'D7-52', also: ['D6-52', 'D8-52'],
		file: 'fcgi/proto/proto_draft_create.c', old: '.tell = call_repr_preferred(c)}', new: '.tell = NULL}',
	},
	{
		id: 'DR53', what: 'problem details have another status', suite: 'e2e', in: 'conformance', test: 'D7-53', also: ['D6-53', 'D8-53', 'D8-35'],
		file: 'fcgi/proto/proto_draft.c', old: 'json_put_int(o, "status", err_status(e));', new: 'json_put_int(o, "status", err_status(e) + 1);',
	},
	{
		id: 'DR54', what: 'a refusal does not tell the offset', suite: 'e2e', in: 'conformance', test: 'D6-54', also: ['D4-54', 'D5-54'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '\t\tdraft_offset(c, u->offset);\n\treturn e;', new: '\t\treturn e;\n\treturn e;',
	},
	{
		id: 'DR55', what: 'answers do not name their version', suite: 'e2e', in: 'conformance', test: 'D5-55', also: ['D3-55', 'D4-55', 'D6-55', 'D7-55', 'D8-55'],
		file: 'fcgi/proto/proto_draft.c', old: '\tc->draft = as;\n\tif (d)\n', new: '\tc->draft = as;\n\tif (0)\n',
	},
	{
		id: 'DR60', what: 'what tus has created is not the draft\'s', suite: 'e2e', in: 'conformance', test: 'D3-60', also: ['D4-60', 'D5-60', 'D6-60', 'D7-60', 'D8-60'],
		file: 'fcgi/proto/proto_draft_upload.c', old: '!e && u->concat != CONCAT_NONE ?', new: '!e && !u->is_explicit ?',
	},
	{
		id: 'DR61', what: 'HEAD of tus is answered in the draft', suite: 'e2e', in: 'conformance', test: 'D4-61', also: ['D3-61', 'D5-61'],
		file: 'fcgi/proto/proto_draft.c', old: '\tif (http_header(c->req, "Tus-Resumable"))\n\t\treturn ERR_OK;\n', new: '',
	},
	{
		id: 'DR_01', what: 'uploads have one URL', suite: 'e2e', in: 'conformance', test: 'D-01', also: ['D3-01', 'D4-01', 'D5-01', 'D6-01', 'D7-01', 'D8-01'],
		file: 'fcgi/proto/proto_draft_create.c', old: '"/files/%s", u->id', new: '"/files/%.1s", u->id',
	},
	{
		id: 'DR_03', what: 'an unknown version is repeated', suite: 'e2e', in: 'conformance', test: 'D-03', also: ['D-02'],
		file: 'fcgi/proto/proto_draft.c', old: '\tc->draft = as;\n\tif (d)\n\t\thttp_res_addf(c->res, c->a, INTEROP, "%d", d->version);',
		new: '\tc->draft = as;\n\thttp_res_set(c->res, INTEROP, http_header(c->req, INTEROP));',
	},
	{
		id: 'DR_04', what: 'what is not complete is not told in the oldest version', suite: 'e2e', in: 'conformance', test: 'D-04', also: ['D3-30'],
		file: 'fcgi/proto/proto_draft.c', old: '.complete = "Upload-Incomplete", ', new: '.complete = "Upload-Incomplete", .sense = true, ',
	},
	{
		id: 'DR_05', what: 'an upload that has its length is complete after a restart', suite: 'e2e', in: 'conformance', test: 'D-05',
		file: 'fcgi/upload/upload.c', old: '&& (at_length || !u->is_explicit);', new: ';',
	},
	{
		id: 'DR_06', what: 'pages may not read the limits', suite: 'e2e', in: 'conformance', test: 'D-06',
		file: 'fcgi/guard.c', old: 'Upload-Draft-Interop-Version, Upload-Limit, Repr', new: 'Upload-Draft-Interop-Version, Repr',
	},
	{
		id: 'DR_08', what: 'a HEAD or PATCH of tus is one of the draft', suite: 'e2e', in: 'conformance', test: 'D-08', also: ['D6-61', 'D7-61', 'D8-61'],
		file: 'fcgi/proto/proto_draft.c', old: '\t*yes = partial;\n\tif (http_header(c->req, "Tus-Resumable"))\n\t\treturn ERR_OK;\n',
		new: '\t*yes = partial || c->req->method == HTTP_HEAD || c->req->method == HTTP_PATCH;\n',
	},
	{
		id: 'Q01', what: 'a body that a web server threw away is not noticed', suite: 'e2e', in: 'doctor_plants', test: 'nginx_bodies_are_buffered', control: 'nginx_no-store_is_dropped',
		file: 'fcgi/ctl_doctor_upload.c', old: '\tif (at <= from)\n\t\tdoctor_find(', new: '\tif (at < from)\n\t\tdoctor_find(',
	},
	{
		id: 'Q02', what: 'the web server is taken for the application', suite: 'e2e', in: 'doctor_plants', test: 'nginx_PATCH_and_DELETE_are_forbidden',
		control: 'nginx_downloads_are_compressed', file: 'fcgi/ctl_http_answer.c', old: 'r.ours = text_eq(header_in(c->h->a, r.head, "X-Request-ID", 0), c->h->id);', new: 'r.ours = true;',
	},
	{
		id: 'Q03', what: 'what the doctor made is left behind', suite: 'e2e', in: 'doctor', test: 'nginx_as_shipped', control: 'settings_tus_is_off',
		file: 'fcgi/ctl_doctor_upload.c', old: 'for (int i = 0; i < d->made_n; i++)', new: 'for (int i = 0; i < 0; i++)',
	},
	{
		id: 'IM1', what: 'an import that was killed between a chunk\'s row and its bytes leaves it out for ever', suite: 'fault', in: 'test_import_deaths', test: 'each_death',
		file: 'db/store_reserve.c', old: 'p.has_old && p.old.offset > 0 && w->only_new', new: 'p.has_old && w->only_new',
	},
	{
		id: 'IM2', what: 'an import replaces what a client has sent since', suite: 'contract', in: 'test_import', test: 'what_clients_sent_stays', control: 'notes_are_torn',
		file: 'db/store_reserve.c', old: '!e && out->has_done && w->only_new', new: '!e && out->has_done && w->only_new && 0',
	},
	{
		id: 'IM3', what: 'half an assembly is taken for a finished file', suite: 'contract', in: 'test_import', test: 'assemblies_are_torn', control: 'notes_are_torn',
		file: 'fcgi/ctl_import_take.c', old: 'return chunk_files > 0 && noted != size;', new: 'return chunk_files > 0 && noted < 0 && size < 0;',
	},
	{
		id: 'IM4', what: 'an import follows links', suite: 'contract', in: 'test_import', test: 'strangers_are_left', control: 'notes_are_torn',
		file: 'fcgi/ctl_import_tree.c', old: 'O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC', new: 'O_RDONLY | O_NONBLOCK | O_CLOEXEC',
	},
	{
		id: 'IM5', what: 'a chunk that was on its way is taken for whole', suite: 'contract', in: 'test_import', test: 'a_part_that_went_on_stays', control: 'notes_are_torn',
		file: 'fcgi/model/import.c', old: '\t} else if (tus) {\n\t\tc->whole = false;', new: '\t} else if (tus) {\n\t\tc->whole = true;\n\t\tc->length = c->size;\n\t\treturn;',
	},
];

// Weaknesses of which no build of this server can have a small version.
export const outside = [
	{ id: 'B15', why: 'all state is in the database; no file beside a recording is ever read back, so a torn one can stop nothing' },
	{ id: 'B19', why: '(in its destructive form) no path is ever made of an id and no folder is removed with its contents; B19 above proves the check of the id' },
	{ id: 'B29', why: '(as waiting) joining runs after the answer has left, on a connection that is never reused; B29 above proves the space' },
	{ id: 'B34', why: 'a matter of documents' },
	{ id: 'B35', why: 'a matter of tests: this file is the answer' },
];
