-- Version 2: the outbox, and the trash. A row of the outbox is written in the transaction of the change that it tells of, and never changed but for its delivery.
CREATE TABLE event(
  n INTEGER PRIMARY KEY AUTOINCREMENT,      -- the order in which things happened
  time INTEGER NOT NULL,                    -- seconds UTC
  kind INTEGER NOT NULL,                    -- enum event_kind of model/event.h
  subject TEXT NOT NULL,                    -- id of a whole upload or of a session; '' if a refused creation had none
  take INTEGER NOT NULL,                    -- of a session, 0 for a whole upload
  idx INTEGER NOT NULL,                     -- of a chunk, -1 if it is not about one
  owner TEXT NOT NULL,                      -- '' is anonymous
  size INTEGER NOT NULL,                    -- bytes that are there
  length INTEGER NOT NULL,                  -- bytes that were announced, -1 if unknown
  chunks INTEGER NOT NULL,                  -- complete chunks of a session
  name TEXT,                                -- display name
  disk TEXT,                                -- disk name of the finished file
  meta TEXT,                                -- Upload-Metadata of a whole upload, client metadata (a JSON object) of a session
  reason TEXT,                              -- code of the error that refused a creation
  hook INTEGER NOT NULL,                    -- 0 no hook wants it 1 to be delivered 2 delivered
  tries INTEGER NOT NULL,                   -- deliveries that were begun
  next INTEGER NOT NULL,                    -- milliseconds UTC of the next one, 0 at once
  delivered INTEGER NOT NULL                -- seconds UTC, 0 not yet
);
CREATE INDEX event_due ON event(next, n) WHERE hook = 1;
CREATE INDEX event_waiting ON event(subject, n) WHERE hook = 1;

-- Uploads with all their bytes that are not complete: a process died in between.
CREATE INDEX upload_full ON upload(n) WHERE state = 0 AND offset = length;

-- Names of finished files that no recording has any more, written by the change that took them away: whoever dies before the file is removed leaves it to the reaper.
-- A name in here is given to nobody, and only who holds it (HOLD_NAME) takes it out.
CREATE TABLE trash(
  sid TEXT NOT NULL,
  disk TEXT NOT NULL,                       -- file name on disk
  PRIMARY KEY(sid, disk)
) WITHOUT ROWID;
CREATE TRIGGER recording_dropped AFTER DELETE ON recording BEGIN
  INSERT OR IGNORE INTO trash(sid, disk) VALUES(old.sid, old.disk);
END;
-- A finishing that was given up may have published its file already.
CREATE TRIGGER session_given_up AFTER UPDATE OF state ON session WHEN new.state = 4 AND old.state IN (1, 5) AND old.out_name IS NOT NULL
  AND NOT EXISTS(SELECT 1 FROM recording WHERE sid = old.sid AND disk = old.out_name) BEGIN
  INSERT OR IGNORE INTO trash(sid, disk) VALUES(old.sid, old.out_name);
END;
CREATE TRIGGER recording_renamed AFTER UPDATE OF disk ON recording WHEN old.disk <> new.disk BEGIN
  INSERT OR IGNORE INTO trash(sid, disk) VALUES(old.sid, old.disk);
  DELETE FROM trash WHERE sid = new.sid AND disk = new.disk;
END;
CREATE TRIGGER recording_made AFTER INSERT ON recording BEGIN
  DELETE FROM trash WHERE sid = new.sid AND disk = new.disk;
END;
