-- migrate:up
-- A crash of the server takes back numbers of events that were given and are not on the disk yet.

-- No crash gives a number again that was given so far. Mostly that is so already and costs nothing; else a
-- word is written behind them into the server's log, whose commit waits for the disk.
create function keep_event_numbers() returns void language plpgsql volatile as $$
begin
    if pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn() then
        perform pg_logical_emit_message(true, 'mojito'::text, 'event numbers'::text);
    end if;
end
$$;

-- migrate:down
drop function keep_event_numbers();
