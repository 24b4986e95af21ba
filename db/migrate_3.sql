-- Version 3: uploads made of uploads (tus concatenation), the IETF draft's completion, digests of whole files.

ALTER TABLE upload ADD COLUMN concat INTEGER NOT NULL DEFAULT 0;      -- 0 by itself 1 partial 2 final
ALTER TABLE upload ADD COLUMN concat_text TEXT;                       -- Upload-Concat of a final one as received
ALTER TABLE upload ADD COLUMN explicit INTEGER NOT NULL DEFAULT 0;    -- 1: to have all its bytes does not complete it; its client says when it is complete
ALTER TABLE upload ADD COLUMN repr TEXT;                              -- Repr-Digest given at creation: what the whole must have
ALTER TABLE recording ADD COLUMN sha256 TEXT;                         -- of the whole file, 64 hex digits; NULL while not computed

-- What an OPEN final upload is made of, in order; no row is left when it has left that state. A complete partial one that is named here keeps its bytes, also when it is GONE.
CREATE TABLE part(
  final INTEGER NOT NULL,
  seq INTEGER NOT NULL,                     -- 0, 1, ...
  upload INTEGER NOT NULL,                  -- the same one may stand several times
  PRIMARY KEY(final, seq)
) WITHOUT ROWID;
CREATE INDEX part_upload ON part(upload);

-- upload.own may be 2: the bytes lie in the part file of a final upload, which other rows need too and which may have a second name as its finished file.
CREATE INDEX upload_shared ON upload(file) WHERE own = 2;
-- A partial upload is complete as soon as it has its bytes, and expires all the same.
CREATE INDEX upload_partial_due ON upload(expires) WHERE concat = 1 AND state = 2;
CREATE INDEX upload_joining ON upload(n) WHERE concat = 2 AND state = 0;
CREATE INDEX recording_plain ON recording(n) WHERE sha256 IS NULL;
