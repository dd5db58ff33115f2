-- Receive writes the row for lists and the rules itself: a trigger on what each phone
-- sends made SQLite keep a copy of every page that it touched, a fifth of the work.
DROP TRIGGER submission_listed;
DROP TRIGGER submission_ruled;
