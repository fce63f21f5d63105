-- The mark that the last change of a register drew, and number and mark of the change before it: what somebody saw of this
-- store is named by them, and another history cannot confirm it.
ALTER TABLE register ADD COLUMN mark TEXT NOT NULL DEFAULT '';
ALTER TABLE register ADD COLUMN first_seq INTEGER CHECK (first_seq > 0);
ALTER TABLE register ADD COLUMN first_mark TEXT CHECK ((first_mark IS NULL) = (first_seq IS NULL));

-- Nobody has been told a mark of what was changed before.
UPDATE register SET mark = lower(hex(randomblob(16)));
