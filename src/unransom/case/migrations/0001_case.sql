-- A case: its facts, its sources, every file of the evidence with what became of it, the records that
-- the steps yielded, and the chain of custody.

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sources (
    id     TEXT PRIMARY KEY,
    listed INTEGER NOT NULL DEFAULT 0,  -- 1 once every file of it is in `files`
    body   TEXT NOT NULL                -- Source, JSON
) WITHOUT ROWID;

CREATE TABLE files (
    id          INTEGER PRIMARY KEY,
    source      TEXT    NOT NULL REFERENCES sources (id),
    path        BLOB    NOT NULL,
    stream      TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    locator     TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    modified    INTEGER,                -- nanoseconds since 1970 UTC
    state       TEXT    NOT NULL,
    family      TEXT,
    format      TEXT    NOT NULL DEFAULT '',
    locked      INTEGER,                -- bytes really encrypted, estimated
    why         TEXT,                   -- Message, JSON
    output      BLOB,                   -- path below the case folder
    output_size INTEGER,
    method      TEXT,
    key         TEXT,                   -- fingerprint
    md5         TEXT,
    sha256      TEXT,
    verdict     TEXT,
    plain       INTEGER,                -- bytes of the output by origin
    unlocked    INTEGER,
    guessed     INTEGER,
    lost        INTEGER,
    body        TEXT    NOT NULL,       -- FileRef, JSON
    UNIQUE (source, path, stream, version, locator)
);
CREATE INDEX files_by_state ON files (state, family);

CREATE TABLE records (
    id      INTEGER PRIMARY KEY,
    type    TEXT    NOT NULL,
    step    TEXT    NOT NULL,
    version TEXT    NOT NULL,           -- of unransom
    item    INTEGER NOT NULL,           -- files.id, 0 where the record is about no single file
    time    INTEGER NOT NULL,           -- nanoseconds since 1970 UTC
    body    TEXT    NOT NULL            -- the record, JSON
);
CREATE INDEX records_by_type ON records (type, item);

CREATE TABLE journal (                  -- what each step has done with each item
    step    TEXT    NOT NULL,
    item    INTEGER NOT NULL,
    done    INTEGER NOT NULL DEFAULT 0,
    deaths  INTEGER NOT NULL DEFAULT 0, -- workers that died on it
    PRIMARY KEY (step, item)
) WITHOUT ROWID;

CREATE TABLE chain (
    sequence INTEGER PRIMARY KEY,
    entry    TEXT NOT NULL              -- a line of chain.jsonl
);

CREATE TABLE manifests (                -- hashes of originals from before the attack
    name     BLOB NOT NULL,             -- last component of the path
    path     BLOB NOT NULL,
    digest   TEXT NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (name, path, digest)
) WITHOUT ROWID;
