-- How many sagas stand how. Every commit that changes it writes it as well, once for all that it holds, so nothing has to be counted
-- to know it.
CREATE TABLE counted (
    standing TEXT    NOT NULL PRIMARY KEY,
    sagas    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counted (standing, sagas) SELECT standing, count(*) FROM saga GROUP BY standing;

-- Those that have not ended, by how they stand and in the order of their placing: nearly all others are of the two that are left out.
CREATE INDEX saga_open ON saga (standing) WHERE standing NOT IN ('completed', 'cancelled');
