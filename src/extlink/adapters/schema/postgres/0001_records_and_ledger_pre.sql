-- One row a tenant: how many ledger entries it has, and the newest instant it has seen. Every commit writes it first.
CREATE TABLE extlink.head (
  tenant   bytea  NOT NULL,
  position bigint NOT NULL,
  floor    bigint NOT NULL,
  PRIMARY KEY (tenant)
) WITH (fillfactor = 50);

-- The records. Bytes compare byte by byte, so no collation ever decides which identifiers are equal.
CREATE TABLE extlink.record (
  tenant  bytea  NOT NULL,
  path    bytea  NOT NULL,
  version bigint NOT NULL,
  value   bytea  NOT NULL,
  PRIMARY KEY (tenant, path)
) WITH (fillfactor = 80);

-- The ledger: entries are added and never changed. `batch` is the version of the records written with them.
CREATE TABLE extlink.entry (
  tenant   bytea  NOT NULL,
  position bigint NOT NULL,
  batch    bigint NOT NULL,
  body     bytea  NOT NULL,
  PRIMARY KEY (tenant, position)
);

-- Settles a lost answer: was this batch committed?
CREATE UNIQUE INDEX entry_batch ON extlink.entry (tenant, batch, position);
