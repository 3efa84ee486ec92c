drop function counter_book;
drop table counter_booking, counter_slot, counter_citizen;
