-- Figures of 90 days are made of tens of thousands of referrals: all that they are made of
-- stands in the index by the day of receipt, so that no row is looked up for them.
DROP INDEX referral_received;
CREATE INDEX referral_figured ON referral (operation, received, device, point, programme, desk, state, reason, priority, captured, sent, acknowledged, answered, started, ended);
