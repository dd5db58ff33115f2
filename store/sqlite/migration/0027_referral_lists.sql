-- Lists of referrals are read in the order in which they are shown, and stop where the
-- page ends: what is open by its clock, what is over by its last change. What lists and
-- counts ask of a row stands in the index beside it.

DROP INDEX referral_desk;
DROP INDEX referral_state;
DROP INDEX referral_open;
CREATE INDEX referral_open ON referral (operation, due, id, state, desk, programme, point) WHERE terminal = 0;
CREATE INDEX referral_desk ON referral (operation, desk, due, id, state) WHERE terminal = 0;
CREATE INDEX referral_over ON referral (operation, changed, id, state, desk) WHERE terminal = 1;
CREATE INDEX referral_over_desk ON referral (operation, desk, changed, id, state) WHERE terminal = 1;
CREATE INDEX referral_received ON referral (operation, received);

-- Who was found to be somebody else is asked for with everything of a person.
CREATE INDEX person_merged ON person (operation, merged_into);
