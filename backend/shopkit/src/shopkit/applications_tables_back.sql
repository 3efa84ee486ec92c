drop table application_clerk, application_event, application;
