drop table charge_refund, charge_payment;
