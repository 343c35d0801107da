-- Views for people who report by SQL; docs/howto/postgres.md describes them. They show no digest and no salt, and what
-- is kept compressed (address lists, data policies, grants to many) is not shown. Times are those of the records.
-- JSON names a NUL, which text cannot hold: it is shown as U+FFFD, and an identifier with one as `encode` escapes its bytes in the key.

-- The ledger, without the after-images of records.
CREATE VIEW extlink.ledger WITH (security_barrier) AS
SELECT
  CASE WHEN position('\x00'::bytea IN e.tenant) > 0 THEN encode(e.tenant, 'escape')
       ELSE convert_from(e.tenant, 'UTF8') END AS tenant,
  e.position AS number,
  to_timestamp((e.entry ->> 'at')::bigint) AS at,
  e.entry ->> 'event' AS event,
  e.entry ->> 'level' AS level,
  e.entry ->> 'module' AS module,
  e.entry ->> 'action' AS action,
  e.entry ->> 'result' AS result,
  e.entry ->> 'operation' AS operation,
  e.entry -> 'actor' ->> 'user' AS actor,
  e.entry -> 'actor' ->> 'address' AS address,
  e.entry -> 'details' AS details
FROM (
  SELECT tenant, position, replace(convert_from(body, 'UTF8'), '\u0000', '\ufffd')::jsonb AS entry FROM extlink.entry
) AS e;

CREATE VIEW extlink.tenants WITH (security_barrier) AS
SELECT
  r.fields -> 2 ->> 'id' AS tenant,
  r.fields -> 2 ->> 'edition' AS edition,
  r.fields -> 2 -> 'products' AS products,
  (r.fields -> 2 ->> 'epoch')::bigint AS epoch,
  to_timestamp((r.fields ->> 1)::bigint) AS changed_at
FROM (
  SELECT replace(convert_from(value, 'UTF8'), '\u0000', '\ufffd')::jsonb AS fields
  FROM extlink.record WHERE path = '\x740001'
) AS r;

-- What each tenant registered; the state is the tenant's own, a quarantine everywhere is not in it.
CREATE VIEW extlink.services WITH (security_barrier) AS
SELECT
  CASE WHEN position('\x00'::bytea IN r.tenant) > 0 THEN encode(r.tenant, 'escape')
       ELSE convert_from(r.tenant, 'UTF8') END AS tenant,
  r.fields -> 2 -> 'service' ->> 'id' AS service,
  r.fields -> 2 ->> 'state' AS state,
  r.fields -> 2 ->> 'cause' AS cause,
  (r.fields -> 2 ->> 'epoch')::bigint AS epoch,
  to_timestamp((r.fields ->> 1)::bigint) AS changed_at
FROM (
  SELECT tenant, replace(convert_from(value, 'UTF8'), '\u0000', '\ufffd')::jsonb AS fields
  FROM extlink.record WHERE path > '\x730001' AND path < '\x730002' AND tenant <> '\x7e686f7374'
) AS r;

-- Whom the host suspended, resumed or deleted; everybody else is active with epoch 0.
CREATE VIEW extlink.users WITH (security_barrier) AS
SELECT
  CASE WHEN position('\x00'::bytea IN r.tenant) > 0 THEN encode(r.tenant, 'escape')
       ELSE convert_from(r.tenant, 'UTF8') END AS tenant,
  CASE WHEN position('\x00'::bytea IN r.id) > 0 THEN encode(r.id, 'escape') ELSE convert_from(r.id, 'UTF8') END AS id,
  r.fields -> 2 ->> 'status' AS status,
  (r.fields -> 2 ->> 'epoch')::bigint AS epoch,
  to_timestamp((r.fields ->> 1)::bigint) AS changed_at
FROM (
  SELECT tenant, substring(path FROM 4 FOR length(path) - 5) AS id, convert_from(value, 'UTF8')::jsonb AS fields
  FROM extlink.record WHERE path > '\x750001' AND path < '\x750002'
) AS r;

-- The state is the recorded one: a link that says `live` has ended if its owner's, service's or tenant's epoch rose since.
CREATE VIEW extlink.links WITH (security_barrier) AS
SELECT
  CASE WHEN position('\x00'::bytea IN r.tenant) > 0 THEN encode(r.tenant, 'escape')
       ELSE convert_from(r.tenant, 'UTF8') END AS tenant,
  r.fields ->> 0 AS id,
  r.fields ->> 1 AS owner,
  r.fields ->> 2 AS service,
  r.fields ->> 3 AS client,
  r.fields ->> 5 AS state,
  (r.fields -> 6 ->> 0)::bigint AS tenant_epoch,
  (r.fields -> 6 ->> 1)::bigint AS service_epoch,
  (r.fields -> 6 ->> 2)::bigint AS user_epoch,
  (r.fields -> 6 ->> 3)::bigint AS host_epoch,
  r.fields -> 8 AS scopes,
  to_timestamp((r.fields ->> 10)::bigint) AS accepted_at,
  to_timestamp((r.fields ->> 11)::bigint) AS expires_at,
  (r.fields -> 14 ->> 0)::bigint AS generation,
  r.fields ->> 15 AS ended_by,
  to_timestamp((r.fields ->> 16)::bigint) AS ended_at
FROM (
  SELECT tenant, replace(convert_from(value, 'UTF8'), '\u0000', '\ufffd')::jsonb -> 2 AS fields
  FROM extlink.record WHERE path > '\x6c0001' AND path < '\x6c0002'
) AS r;
