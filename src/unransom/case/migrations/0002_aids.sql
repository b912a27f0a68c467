-- Originals to compare with, and dumps that keys may lie in: listed, but no part of the evidence's count.

CREATE TABLE aids (
    id     INTEGER PRIMARY KEY,
    source TEXT    NOT NULL REFERENCES sources (id),
    role   TEXT    NOT NULL,  -- Source.role
    name   BLOB    NOT NULL,  -- last part of the path
    size   INTEGER NOT NULL,
    body   TEXT    NOT NULL,  -- FileRef, JSON
    UNIQUE (source, body)
);
CREATE INDEX aids_by_name ON aids (role, name);
CREATE INDEX aids_by_size ON aids (role, size);
