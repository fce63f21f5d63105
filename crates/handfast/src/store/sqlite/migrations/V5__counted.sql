-- How many sagas stand how, so that nothing has to be counted to know it. The file keeps it itself, in the statement that changes it:
-- a program of a former version may have the file open while this runs, and go on writing to it.
CREATE TABLE counted (
    standing TEXT    NOT NULL PRIMARY KEY,
    sagas    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counted (standing, sagas) SELECT standing, count(*) FROM saga GROUP BY standing;

CREATE TRIGGER saga_placed AFTER INSERT ON saga BEGIN
    INSERT INTO counted (standing, sagas) VALUES (new.standing, 1) ON CONFLICT (standing) DO UPDATE SET sagas = sagas + 1;
END;

CREATE TRIGGER saga_stands AFTER UPDATE OF standing ON saga WHEN new.standing <> old.standing BEGIN
    UPDATE counted SET sagas = sagas - 1 WHERE standing = old.standing;
    INSERT INTO counted (standing, sagas) VALUES (new.standing, 1) ON CONFLICT (standing) DO UPDATE SET sagas = sagas + 1;
END;

CREATE TRIGGER saga_removed AFTER DELETE ON saga BEGIN
    UPDATE counted SET sagas = sagas - 1 WHERE standing = old.standing;
END;

-- Those that have not ended, by how they stand and in the order of their placing: nearly all others are of the two that are left out.
CREATE INDEX saga_open ON saga (standing) WHERE standing NOT IN ('completed', 'cancelled');
