/*
 * store_sql.c - all SQL but the schema: one array, indexed by enum sql.
 *
 * A column that an index covers stands only in the statements that mean to change it, for naming it in SET rewrites the index.
 */
#include "db/store_sql.h"

#include "model/event.h"
#include "model/session.h"
#include "model/upload.h"

/* States stand as numbers in the texts below. */
_Static_assert(UPLOAD_OPEN == 0 && UPLOAD_FINISHING == 1 && UPLOAD_COMPLETE == 2 && UPLOAD_GONE == 3, "upload states");
_Static_assert(SESSION_RECEIVING == 0 && SESSION_FINISHING == 1 && SESSION_COMPLETE == 2 && SESSION_RECOVERED == 3 &&
	SESSION_GONE == 4 && SESSION_FAILED == 5, "session states");
_Static_assert(EVENT_UNWANTED == 0 && EVENT_WAITING == 1 && EVENT_DELIVERED == 2, "states of a delivery");

/* In the order in which store_row.c reads them. */
#define UPLOAD_COLS "n,id,owner,state,session,idx,file,base,length,offset,writing,meta,created,updated,expires,own,concat,concat_text,explicit,repr"
#define SESSION_COLS "n,sid,take,owner,state,kind,total,chunk_size,file,next_idx,next_base,done,top,bytes,parked,size," \
	"name,format,meta,out_name,out_title,goal,cancelled,size_mismatch,started,updated,finished,expires"
#define CHUNK_COLS "session,idx,file,base,length"
#define REC_COLS "n,sid,session,upload,take,owner,name,disk,meta,size,created,recovered,run,sha256"
#define EVENT_COLS "n,time,kind,subject,take,idx,owner,size,length,chunks,name,disk,meta,reason,hook,tries,next,delivered"
#define KEY_COLS "name,role,hash,created"

/* The chunks of a session that is gone are gone with it, though their rows are dropped little by little. */
#define LIVES "EXISTS(SELECT 1 FROM session WHERE n=?1 AND state<>4)"
#define LIVES_WITH "(session IS NULL OR EXISTS(SELECT 1 FROM session AS s WHERE s.n=upload.session AND s.state<>4))"

const char *const sql_text[SQL__MAX] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SAVE] = "SAVEPOINT op",
	[SQL_SAVE_KEEP] = "RELEASE op",
	[SQL_SAVE_UNDO] = "ROLLBACK TO op",

	[SQL_FILE_NEXT] = "UPDATE meta SET v=v+1 WHERE k='file'",
	[SQL_FILE_LAST] = "SELECT v FROM meta WHERE k='file'",
	/* A finished session has its bytes in its finished file. */
	[SQL_FILE_KNOWN] = "SELECT EXISTS(SELECT 1 FROM session WHERE file=?1 AND state NOT IN (2,3))"
		" OR EXISTS(SELECT 1 FROM upload WHERE file=?1 AND own=1) OR EXISTS(SELECT 1 FROM upload WHERE file=?1 AND own=2)"
		" OR EXISTS(SELECT 1 FROM chunk AS c LEFT JOIN session AS s ON s.n=c.session WHERE c.file=?1 AND c.parked=1"
		" AND COALESCE(s.file<>?1 OR s.state NOT IN (2,3),1))",
	[SQL_PROBE] = "UPDATE meta SET v=v+1 WHERE k='probe'",

	[SQL_UPLOAD_BY_ID] = "SELECT " UPLOAD_COLS " FROM upload WHERE id=?1",
	[SQL_UPLOAD_BY_N] = "SELECT " UPLOAD_COLS " FROM upload WHERE n=?1 AND " LIVES_WITH,
	[SQL_UPLOAD_BY_CHUNK] = "SELECT " UPLOAD_COLS " FROM upload WHERE session=?1 AND idx=?2 AND " LIVES,
	[SQL_UPLOAD_ADD] = "INSERT INTO upload(id,owner,state,session,idx,file,base,own,length,offset,writing,meta,created,updated,expires,concat,concat_text,explicit,repr)"
		" VALUES(?1,?2,0,?3,?4,?5,?6,?7,?8,0,0,?9,?10,?10,?11,?12,?13,?14,?15)",
	[SQL_UPLOAD_RESET] = "UPDATE upload SET file=?2,base=?3,own=?4,length=?5,offset=0,writing=0,meta=?6,updated=?7 WHERE n=?1",
	[SQL_UPLOAD_MOVE] = "UPDATE upload SET offset=?3,writing=?4,updated=?5,explicit=explicit|?6 WHERE n=?1 AND offset=?2 AND state=0"
		" AND (length=-1 OR ?3<=length)"
		" AND " LIVES_WITH,
	[SQL_UPLOAD_EXPIRES] = "UPDATE upload SET expires=?2 WHERE n=?1 AND expires<>?2",
	[SQL_UPLOAD_LENGTH] = "UPDATE upload SET length=?2 WHERE n=?1",
	/* A partial one is complete with its bytes; it expires as before. */
	[SQL_UPLOAD_CLOSING] = "UPDATE upload SET state=CASE concat WHEN 1 THEN 2 ELSE 1 END,offset=?3,length=?3,writing=0,updated=?4"
		" WHERE n=?1 AND offset=?2 AND state=0 AND id IS NOT NULL AND ?2<=?3 AND (length=-1 OR length=?3)",
	[SQL_UPLOAD_COMPLETE] = "UPDATE upload SET state=2,own=0,updated=?2,expires=0 WHERE n=?1",
	/* The bytes of a complete part are kept for the final uploads that wait for others. */
	[SQL_UPLOAD_GONE] = "UPDATE upload SET state=3,own=CASE WHEN state=2 AND EXISTS(SELECT 1 FROM part WHERE part.upload=upload.n) THEN own ELSE 0 END,"
		"writing=0,updated=?2,expires=0 WHERE n=?1",
	[SQL_UPLOAD_FAILED] = "UPDATE upload SET expires=?2 WHERE n=?1 AND state=1",
	[SQL_UPLOAD_DROP] = "DELETE FROM upload WHERE n=?1",
	[SQL_UPLOAD_AHEAD] = "SELECT EXISTS(SELECT 1 FROM upload WHERE session=?1 AND idx>=?2 AND offset>0)",

	[SQL_PART_ADD] = "INSERT INTO part(final,seq,upload) SELECT ?1,?2,n FROM upload WHERE n=?3 AND concat=1 AND state IN (0,2)",
	[SQL_PARTS] = "SELECT " UPLOAD_COLS " FROM part JOIN upload ON n=part.upload WHERE final=?1 AND seq>=?2 ORDER BY seq LIMIT ?3",
	/* No file is longer than 2^52 bytes; the cut keeps the sum from overflowing. */
	[SQL_PARTS_SUM] = "SELECT COUNT(*),COALESCE(SUM(state=2 OR (state=3 AND own<>0)),0),COALESCE(SUM(state=0),0),"
		"COALESCE(SUM(MIN(length,4503599627370496)),0),COALESCE(MIN(length),0),COALESCE(MAX(CASE WHEN state=0 THEN expires END),0)"
		" FROM part LEFT JOIN upload ON n=part.upload WHERE final=?1",
	[SQL_PARTS_RELEASE] = "UPDATE upload SET own=0 WHERE state=3 AND own<>0 AND n IN (SELECT upload FROM part WHERE final=?1)"
		" AND NOT EXISTS(SELECT 1 FROM part WHERE part.upload=upload.n AND final<>?1)",
	[SQL_PARTS_DROP] = "DELETE FROM part WHERE final=?1",
	[SQL_PART_FINALS] = "SELECT DISTINCT final FROM part WHERE upload=?1 AND final>?2 ORDER BY final LIMIT ?3",
	[SQL_PART_NAMED] = "SELECT EXISTS(SELECT 1 FROM part WHERE upload=?1)",
	[SQL_PART_TAKEN] = "UPDATE upload SET file=?2,base=?3,own=2 WHERE n=?1 AND own=1",
	[SQL_FINAL_ADOPT] = "UPDATE upload SET file=?2,offset=?3,updated=?4 WHERE n=?1 AND concat=2 AND state=0 AND offset=0",
	[SQL_FILE_SHARED] = "SELECT EXISTS(SELECT 1 FROM upload WHERE file=?1 AND own=2)",
	[SQL_JOINING] = "SELECT n,0 FROM upload WHERE concat=2 AND state=0 AND n>?3 ORDER BY n LIMIT ?4",
	[SQL_DUE_PARTIALS] = "SELECT n,expires FROM upload WHERE concat=1 AND state=2 AND expires BETWEEN 1 AND ?1 AND (expires,n)>(?2,?3)"
		" ORDER BY expires,n LIMIT ?4",

	[SQL_SESSION_BY_N] = "SELECT " SESSION_COLS " FROM session WHERE n=?1",
	/* However many are gone, they hide none that lives. */
	[SQL_SESSION_TAKES] = "SELECT " SESSION_COLS " FROM session WHERE sid=?1 ORDER BY state=4,take DESC LIMIT ?2",
	[SQL_SESSION_TAKE_LAST] = "SELECT COALESCE(MAX(take),0) FROM session WHERE sid=?1",
	[SQL_SESSION_ADD] = "INSERT INTO session(sid,take,owner,state,kind,total,chunk_size,file,next_idx,next_base,done,top,bytes,parked,size,"
		"name,format,goal,cancelled,size_mismatch,started,updated,finished,expires)"
		" VALUES(?1,?2,?3,0,?4,?5,?6,?7,0,0,0,0,0,0,0,?8,?9,2,0,0,?10,?10,0,?11)",
	[SQL_SESSION_RESERVE] = "UPDATE session SET total=?2,next_idx=?3,next_base=?4,name=COALESCE(name,?5),format=COALESCE(format,?6),"
		"meta=COALESCE(meta,?7),updated=?8 WHERE n=?1",
	[SQL_SESSION_DONE] = "UPDATE session SET next_idx=?2,next_base=?3,done=?4,top=?5,bytes=?6,parked=?7,updated=?8 WHERE n=?1",
	[SQL_SESSION_EXPIRES] = "UPDATE session SET expires=?2 WHERE n=?1",
	[SQL_SESSION_FRONTIER] = "UPDATE session SET next_idx=?2,next_base=?3 WHERE n=?1",
	[SQL_SESSION_FINISHING] = "UPDATE session SET state=1,goal=?2,out_name=?3,out_title=?4,meta=COALESCE(?5,meta),size_mismatch=?6,updated=?7"
		" WHERE n=?1",
	[SQL_SESSION_PARKED] = "UPDATE session SET parked=?2 WHERE n=?1",
	[SQL_SESSION_JOINED] = "UPDATE session SET file=?2,chunk_size=0,next_idx=top,next_base=bytes,parked=0 WHERE n=?1",
	[SQL_SESSION_FINISHED] = "UPDATE session SET state=goal,size=?2,out_name=?3,out_title=?4,finished=?5,updated=?5,expires=?6 WHERE n=?1",
	[SQL_SESSION_STATE] = "UPDATE session SET state=?2 WHERE n=?1",
	[SQL_SESSION_RENAMED] = "UPDATE session SET state=2,out_name=?2,out_title=?3 WHERE n=?1 AND state IN (2,3)",
	[SQL_SESSION_REOPEN] = "UPDATE session SET state=0,updated=?2,expires=?3 WHERE n=?1",
	[SQL_SESSION_RESTART] = "UPDATE session SET state=0,file=?4,next_idx=0,next_base=0,done=0,top=0,bytes=0,parked=0,size=0,"
		"out_name=NULL,out_title=NULL,finished=0,updated=?2,expires=?3 WHERE n=?1",
	[SQL_SESSION_GONE] = "UPDATE session SET state=4,file=0,cancelled=?2,updated=?3,expires=?4 WHERE n=?1",
	[SQL_SESSION_EMPTY] = "UPDATE session SET expires=updated WHERE n=?1",
	[SQL_SESSION_FORGET] = "DELETE FROM session WHERE n=?1",
	[SQL_SESSION_UPLOADS_DROP] = "DELETE FROM upload WHERE session=?1",
	[SQL_UPLOADS_DROP_SOME] = "DELETE FROM upload WHERE n IN (SELECT n FROM upload WHERE session=?1 LIMIT ?2)",
	[SQL_CHUNKS_DROP_SOME] = "DELETE FROM chunk WHERE session=?1 AND idx IN (SELECT idx FROM chunk WHERE session=?1 LIMIT ?2)",
	[SQL_BITS_DROP_SOME] = "DELETE FROM bitmap WHERE session=?1 AND seg IN (SELECT seg FROM bitmap WHERE session=?1 LIMIT ?2)",

	[SQL_CHUNK_GET] = "SELECT " CHUNK_COLS " FROM chunk WHERE session=?1 AND idx=?2 AND " LIVES,
	[SQL_CHUNK_META] = "SELECT meta FROM chunk WHERE session=?1 AND idx=?2 AND " LIVES,
	[SQL_CHUNK_PUT] = "INSERT OR REPLACE INTO chunk(session,idx,file,base,length,parked,meta) VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[SQL_CHUNK_FROM] = "SELECT " CHUNK_COLS " FROM chunk WHERE session=?1 AND idx>=?2 AND " LIVES " ORDER BY idx LIMIT ?3",
	[SQL_CHUNK_MOVE] = "UPDATE chunk SET file=?3,base=?4,parked=?5 WHERE session=?1 AND idx=?2",
	[SQL_CHUNK_FILES] = "SELECT idx,file FROM chunk WHERE session=?1 AND idx>=?2 AND parked=1"
		" AND file<>(SELECT file FROM session WHERE n=?1) ORDER BY idx LIMIT ?3",
	[SQL_UPLOAD_FILES] = "SELECT idx,file FROM upload WHERE session=?1 AND idx>=?2 AND own=1 ORDER BY idx LIMIT ?3",
	[SQL_SESSION_UPLOADS] = "SELECT n FROM upload WHERE session=?1 ORDER BY n LIMIT ?2",

	[SQL_BIT_SET] = "UPDATE bitmap SET bits=set_bit(bits,?3),n=n+1 WHERE session=?1 AND seg=?2 AND get_bit(bits,?3)=0",
	[SQL_SEG_ADD] = "INSERT OR IGNORE INTO bitmap(session,seg,n,bits) VALUES(?1,?2,0,zeroblob(512))",
	[SQL_SEGS] = "SELECT seg,n,bits FROM bitmap WHERE session=?1 AND seg<=?2 ORDER BY seg",

	[SQL_REC_BY_N] = "SELECT " REC_COLS " FROM recording WHERE n=?1",
	[SQL_REC_GET] = "SELECT " REC_COLS " FROM recording WHERE sid=?1 AND disk=?2",
	[SQL_REC_OF_SESSION] = "SELECT " REC_COLS " FROM recording WHERE session=?1 AND session>0 ORDER BY run,n DESC LIMIT 1",
	[SQL_REC_OF_UPLOAD] = "SELECT " REC_COLS " FROM recording WHERE upload=?1 AND upload>0",
	[SQL_REC_LIST] = "SELECT " REC_COLS " FROM recording WHERE (?1 IS NULL OR owner=?1 OR owner='') AND n<?2 ORDER BY n DESC LIMIT ?3",
	[SQL_REC_ADD] = "INSERT INTO recording(sid,session,upload,take,run,owner,name,disk,meta,size,created,recovered,sha256)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
	[SQL_REC_DIGEST] = "UPDATE recording SET sha256=?2 WHERE n=?1",
	[SQL_REC_PLAIN] = "SELECT n,0 FROM recording WHERE sha256 IS NULL AND n>?3 ORDER BY n LIMIT ?4",
	[SQL_REC_RENAME] = "UPDATE recording SET name=?2,disk=?3,meta=COALESCE(?4,meta),recovered=0 WHERE n=?1",
	[SQL_REC_DROP] = "DELETE FROM recording WHERE n=?1",
	[SQL_REC_UNLINK] = "UPDATE recording SET session=0 WHERE session=?1 AND session>0",
	[SQL_NAME_OWNED] = "SELECT EXISTS(SELECT 1 FROM recording WHERE sid=?1 AND disk=?2 AND n<>?3)"
		" OR EXISTS(SELECT 1 FROM session WHERE sid=?1 AND out_name=?2 AND state IN (1,5) AND n<>?4)",
	[SQL_TRASH] = "SELECT sid,disk FROM trash ORDER BY random() LIMIT ?1",
	[SQL_TRASH_HAS] = "SELECT EXISTS(SELECT 1 FROM trash WHERE sid=?1 AND disk=?2)",
	[SQL_TRASH_ADD] = "INSERT OR IGNORE INTO trash(sid,disk) VALUES(?1,?2)",
	[SQL_TRASH_DONE] = "DELETE FROM trash WHERE sid=?1 AND disk=?2",

	[SQL_DUE_UPLOADS] = "SELECT n,expires FROM upload WHERE id IS NOT NULL AND state=0 AND expires BETWEEN 1 AND ?1 AND (expires,n)>(?2,?3)"
		" ORDER BY expires,n LIMIT ?4",
	[SQL_DUE_SESSIONS] = "SELECT n,expires FROM session WHERE state=0 AND expires BETWEEN 1 AND ?1 AND (expires,n)>(?2,?3)"
		" ORDER BY expires,n LIMIT ?4",
	[SQL_FULL_UPLOADS] = "SELECT n,0 FROM upload WHERE state=0 AND offset=length AND explicit=0 AND updated<?1 AND n>?3 ORDER BY n LIMIT ?4",
	[SQL_FINISHING_UPLOADS] = "SELECT n,0 FROM upload WHERE state=1 AND expires>=0 AND n>?3 ORDER BY n LIMIT ?4",
	[SQL_FINISHING_SESSIONS] = "SELECT n,expires FROM session WHERE state=1 AND (expires,n)>(?2,?3) ORDER BY expires,n LIMIT ?4",
	[SQL_FORGET_UPLOADS] = "DELETE FROM upload WHERE n IN (SELECT n FROM upload AS u WHERE state=3 AND updated<=?1"
		" AND NOT EXISTS(SELECT 1 FROM part WHERE part.upload=u.n) ORDER BY updated LIMIT ?2)",
	[SQL_FORGET_LEFT] = "SELECT n FROM session WHERE state=4 AND expires<?1 LIMIT 1",
	[SQL_FORGET_GONE] = "SELECT n FROM session WHERE state=4 AND expires BETWEEN 0 AND ?1 LIMIT 1",
	[SQL_FORGET_FINISHED] = "SELECT n FROM session WHERE state IN (2,3) AND expires BETWEEN 1 AND ?1 LIMIT 1",
	[SQL_STATS] = "SELECT (SELECT COUNT(*) FROM session WHERE state IN (0,1)),(SELECT COUNT(*) FROM upload WHERE state=0),"
		"(SELECT COUNT(*) FROM recording),(SELECT COALESCE(SUM(size),0) FROM recording)"
		"+(SELECT COALESCE(SUM(bytes),0) FROM session WHERE state IN (0,1,5))"
		"+(SELECT COALESCE(SUM(offset),0) FROM upload WHERE state IN (0,1) OR (concat=1 AND state=2 AND own=1)),"
		"(SELECT page_count FROM pragma_page_count)",

	[SQL_EVENT_ADD] = "INSERT INTO event(time,kind,subject,take,idx,owner,size,length,chunks,name,disk,meta,reason,hook,tries,next,delivered)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,0,0,0)",
	[SQL_EVENTS] = "SELECT " EVENT_COLS " FROM event WHERE n>?1 ORDER BY n LIMIT ?2",
	/* An event waits for the earlier ones of its subject, and for nothing else. */
	[SQL_EVENTS_DUE] = "SELECT " EVENT_COLS " FROM event AS e WHERE hook=1 AND (next<=?1 OR next>?1+?3)"
		" AND NOT EXISTS(SELECT 1 FROM event AS b WHERE b.hook=1 AND b.subject=e.subject AND b.n<e.n) ORDER BY next,n LIMIT ?2",
	[SQL_EVENTS_WAITING] = "SELECT COUNT(*) FROM event WHERE hook=1",
	[SQL_EVENT_CLAIM] = "UPDATE event SET tries=tries+1,next=?2 WHERE n=?1 AND hook=1",
	[SQL_EVENT_DELIVERED] = "UPDATE event SET hook=2,delivered=?2 WHERE n=?1 AND hook=1",
	[SQL_EVENT_RETRY] = "UPDATE event SET next=?2 WHERE n=?1 AND hook=1",
	/* Their times rise with their numbers, so the search ends at the first one that is young enough. */
	[SQL_FORGET_EVENTS] = "DELETE FROM event WHERE n IN (SELECT n FROM event WHERE n<COALESCE((SELECT n FROM event WHERE time>?1 ORDER BY n LIMIT 1),"
		"9223372036854775807) AND (hook<>1 OR ?2=0) ORDER BY n LIMIT ?3)",

	[SQL_KEY_ADD] = "INSERT INTO api_key(name,role,hash,created) VALUES(?1,?2,?3,?4)",
	[SQL_KEY_FIND] = "SELECT " KEY_COLS " FROM api_key WHERE hash=?1",
	[SQL_KEYS] = "SELECT " KEY_COLS " FROM api_key ORDER BY name LIMIT ?1",
	[SQL_KEY_DROP] = "DELETE FROM api_key WHERE name=?1",

	[SQL_LIST_UPLOADS] = "SELECT " UPLOAD_COLS " FROM upload WHERE n>?1 AND (?2=0 OR state IN (0,1) OR (concat=1 AND own<>0)) ORDER BY n LIMIT ?3",
	[SQL_LIST_SESSIONS] = "SELECT " SESSION_COLS " FROM session WHERE n>?1 AND (?2=0 OR state IN (0,1,5)) ORDER BY n LIMIT ?3",
	[SQL_SNAPSHOT] = "BEGIN",
	[SQL_AUDIT_CHUNKS] = "SELECT idx,base,length,file<>(SELECT file FROM session WHERE n=?1) FROM chunk WHERE session=?1 ORDER BY idx",
	[SQL_BITS_DROP] = "DELETE FROM bitmap WHERE session=?1",
	[SQL_MARK_CHUNKS] = "SELECT idx FROM chunk WHERE session=?1 ORDER BY idx",
	[SQL_RECOUNT] = "UPDATE session SET (done,top,bytes,parked)=(SELECT COUNT(*),MAX(session.top,COALESCE(MAX(idx)+1,0)),COALESCE(SUM(length),0),"
		"COALESCE(SUM(file<>session.file),0) FROM chunk WHERE session=?1) WHERE n=?1",
	[SQL_UPLOAD_SHORTEN] = "UPDATE upload SET offset=?3,writing=0 WHERE n=?1 AND offset=?2 AND state=0 AND ?3<?2",
	[SQL_QUICK_CHECK] = "PRAGMA quick_check(100)",
	[SQL_LOST] = "SELECT 'chunk rows of session row '||session||', which is not there' FROM (SELECT DISTINCT session FROM chunk)"
		" WHERE session NOT IN (SELECT n FROM session)"
		" UNION ALL SELECT 'a bitmap of session row '||session||', which is not there' FROM (SELECT DISTINCT session FROM bitmap)"
		" WHERE session NOT IN (SELECT n FROM session)"
		" UNION ALL SELECT 'upload row '||n||' of session row '||session||', which is not there' FROM upload"
		" WHERE session IS NOT NULL AND session NOT IN (SELECT n FROM session)"
		" UNION ALL SELECT 'recording row '||n||' of session row '||session||', which is not there' FROM recording"
		" WHERE session>0 AND session NOT IN (SELECT n FROM session)"
		" UNION ALL SELECT 'recording row '||n||' of upload row '||upload||', which is not there' FROM recording"
		" WHERE upload>0 AND upload NOT IN (SELECT n FROM upload)"
		" UNION ALL SELECT 'a part of upload row '||final||' is upload row '||upload||', and one of the two is not what it says' FROM part"
		" WHERE final NOT IN (SELECT n FROM upload WHERE concat=2 AND state=0) OR upload NOT IN (SELECT n FROM upload WHERE concat=1)"
		" UNION ALL SELECT 'upload row '||n||' is gone and keeps bytes for nobody' FROM upload"
		" WHERE concat=1 AND state=3 AND own<>0 AND n NOT IN (SELECT upload FROM part)"
		" UNION ALL SELECT 'upload row '||n||' waits for no part' FROM upload WHERE concat=2 AND state=0 AND n NOT IN (SELECT final FROM part)",
};
