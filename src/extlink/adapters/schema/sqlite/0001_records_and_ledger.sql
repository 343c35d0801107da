-- One row a tenant: how many ledger entries it has, and the newest instant it has seen. Every commit writes it first.
CREATE TABLE head (
  tenant   BLOB NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  floor    INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- The records. Blobs compare byte by byte, so no collation ever decides which identifiers are equal.
CREATE TABLE record (
  tenant  BLOB NOT NULL,
  path    BLOB NOT NULL,
  version INTEGER NOT NULL,
  value   BLOB NOT NULL,
  PRIMARY KEY (tenant, path)
) WITHOUT ROWID, STRICT;

-- The ledger: entries are added and never changed. `batch` is the version of the records written with them.
CREATE TABLE entry (
  tenant   BLOB NOT NULL,
  position INTEGER NOT NULL,
  batch    INTEGER NOT NULL,
  body     BLOB NOT NULL,
  PRIMARY KEY (tenant, position)
) WITHOUT ROWID, STRICT;

-- Settles a lost answer: was this batch committed?
CREATE UNIQUE INDEX entry_batch ON entry (tenant, batch, position);
