-- The ledger, version 1. The row is the truth; bytes beyond what a row says are scrap.
-- Numbers n are never used again (AUTOINCREMENT): lock bytes and clients' lists are named by them.
-- States are the enums of model/upload.h and model/session.h; times are seconds UTC, 0 is never.
PRAGMA application_id = 0x74757331;
PRAGMA user_version = 1;

-- Counters and notes of the ledger itself.
CREATE TABLE meta(
  k TEXT PRIMARY KEY,                       -- 'file': the last part file number given; 'probe': counted up to prove that writing works
  v INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta(k, v) VALUES('file', 0), ('probe', 0);

-- One row a take of a recording in chunks.
CREATE TABLE session(
  n INTEGER PRIMARY KEY AUTOINCREMENT,      -- names the finish lock
  sid TEXT NOT NULL,                        -- public id, chosen by the client
  take INTEGER NOT NULL,                    -- 1, 2, ... of this sid
  owner TEXT NOT NULL,                      -- '' is anonymous
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5), -- 0 receiving 1 finishing 2 complete 3 recovered 4 gone 5 failed
  kind INTEGER NOT NULL,                    -- how its first chunk came: 0 tus 1 live 2 manual
  total INTEGER NOT NULL,                   -- chunks, 0 unknown; the first one given binds
  chunk_size INTEGER NOT NULL,              -- declared size of all chunks but the last, 0 if not declared
  file INTEGER NOT NULL,                    -- its part file; 0 once gone
  next_idx INTEGER NOT NULL,                -- frontier: every slot below is given
  next_base INTEGER NOT NULL,               -- where chunk next_idx will lie
  done INTEGER NOT NULL,                    -- complete chunks = bits set = chunk rows
  top INTEGER NOT NULL,                     -- highest complete index + 1
  bytes INTEGER NOT NULL,                   -- sum of the lengths of complete chunks
  parked INTEGER NOT NULL,                  -- complete chunks outside the part file
  size INTEGER NOT NULL,                    -- of the finished file
  name TEXT,                                -- recording name as first given
  format TEXT,                              -- file name extension as first given
  meta TEXT,                                -- client metadata, a JSON object
  out_name TEXT,                            -- disk name of the finished file, chosen when finishing begins
  out_title TEXT,                           -- display name that out_name was made from
  goal INTEGER NOT NULL,                    -- state after finishing: complete or recovered
  cancelled INTEGER NOT NULL,               -- gone by DELETE (1) or by time (0)
  size_mismatch INTEGER NOT NULL,           -- the client's file size did not match
  started INTEGER NOT NULL,
  updated INTEGER NOT NULL,                 -- last chunk begun or ended, or change of state
  finished INTEGER NOT NULL,
  expires INTEGER NOT NULL,                 -- receiving: abandoned then; finished: its chunk rows are forgotten then; gone: when that was, -1 while rows of it are left
  UNIQUE(sid, take),
  CHECK(done >= 0 AND done <= top AND bytes >= 0 AND parked >= 0 AND parked <= done)
);
CREATE INDEX session_due ON session(state, expires);
CREATE INDEX session_file ON session(file);

-- Which chunks are there: bit i of segment s is chunk 4096 * s + i, set in the transaction that makes its chunk row.
CREATE TABLE bitmap(
  session INTEGER NOT NULL,
  seg INTEGER NOT NULL,                     -- made when its first bit is set
  n INTEGER NOT NULL,                       -- bits set
  bits BLOB NOT NULL CHECK(length(bits) = 512),
  PRIMARY KEY(session, seg)
) WITHOUT ROWID;

-- An upload: whole (with a public id), or a chunk while it is unfinished.
CREATE TABLE upload(
  n INTEGER PRIMARY KEY AUTOINCREMENT,      -- names the lock byte
  id TEXT UNIQUE,                           -- public id of a whole upload, NULL for a chunk
  owner TEXT NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3), -- 0 open 1 finishing 2 complete 3 gone
  session INTEGER,                          -- of a chunk, else NULL
  idx INTEGER,                              -- of a chunk, else NULL
  file INTEGER NOT NULL,                    -- part file
  base INTEGER NOT NULL,                    -- where byte 0 lies in it
  own INTEGER NOT NULL,                     -- the part file is needed by this row alone: whole and not published yet, or a parked chunk
  length INTEGER NOT NULL,                  -- -1 while deferred
  offset INTEGER NOT NULL,                  -- durable bytes
  writing INTEGER NOT NULL,                 -- published in the middle of a body that has not ended cleanly
  meta TEXT,                                -- Upload-Metadata as received
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  expires INTEGER NOT NULL,                 -- of a whole upload; a chunk lives as long as its session; finishing: -1 when its bytes are missing for good
  UNIQUE(session, idx),
  CHECK((id IS NULL) = (session IS NOT NULL)),
  CHECK(offset >= 0 AND (length = -1 OR offset <= length))
);
CREATE INDEX upload_due ON upload(expires) WHERE id IS NOT NULL AND state = 0;
CREATE INDEX upload_finishing ON upload(n) WHERE state = 1;
CREATE INDEX upload_gone ON upload(updated) WHERE state = 3;
CREATE INDEX upload_file ON upload(file) WHERE own = 1;

-- A complete chunk: its bytes are [base, base + length) of the part file.
CREATE TABLE chunk(
  session INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  file INTEGER NOT NULL,
  base INTEGER NOT NULL,
  length INTEGER NOT NULL CHECK(length >= 0),
  parked INTEGER NOT NULL,                  -- its part file was not the session's when this was written; only a finished join makes it so
  meta TEXT,                                -- Upload-Metadata as received: HEAD repeats it; NULL if none
  PRIMARY KEY(session, idx)
) WITHOUT ROWID;
CREATE INDEX chunk_file ON chunk(file) WHERE parked = 1;

-- A finished file.
CREATE TABLE recording(
  n INTEGER PRIMARY KEY AUTOINCREMENT,      -- newest has the highest
  sid TEXT NOT NULL,                        -- session id, or id of a whole upload
  session INTEGER NOT NULL,                 -- row it was made from, 0 if none or forgotten
  upload INTEGER NOT NULL,                  -- row it was made from, 0 if none
  take INTEGER NOT NULL,
  run INTEGER NOT NULL,                     -- 1: a recovered part of a session with holes; the session itself lives on beside it
  owner TEXT NOT NULL,
  name TEXT NOT NULL,                       -- display name
  disk TEXT NOT NULL,                       -- file name on disk and in the URL
  meta TEXT,                                -- a JSON object
  size INTEGER NOT NULL,
  created INTEGER NOT NULL,
  recovered INTEGER NOT NULL,               -- made by the reaper, not by the client
  UNIQUE(sid, disk)
);
CREATE INDEX recording_session ON recording(session) WHERE session > 0;
CREATE INDEX recording_upload ON recording(upload) WHERE upload > 0;

-- Keys of clients.
CREATE TABLE api_key(
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,                       -- 'user' or 'admin'
  hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32), -- SHA-256 of the key, never the key
  created INTEGER NOT NULL
) WITHOUT ROWID;
