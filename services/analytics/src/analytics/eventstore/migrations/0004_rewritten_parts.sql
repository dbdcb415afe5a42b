-- What a deletion has rewritten stays on the disk as it was for eight minutes unless told otherwise: too
-- long for whoever waits until somebody is erased. A minute is twice what the kernel takes to write out.
ALTER TABLE events MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 5, max_cleanup_delay_period = 15;
ALTER TABLE message_events MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 5, max_cleanup_delay_period = 15;
