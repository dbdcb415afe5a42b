-- A role and a database for each service, which no other may enter. Run once, on an empty server.

\getenv password AUDIENCE_PASSWORD
CREATE ROLE audience LOGIN PASSWORD :'password';
CREATE DATABASE audience OWNER audience;
REVOKE CONNECT ON DATABASE audience FROM PUBLIC;

\getenv password CAMPAIGN_PASSWORD
CREATE ROLE campaign LOGIN PASSWORD :'password';
CREATE DATABASE campaign OWNER campaign;
REVOKE CONNECT ON DATABASE campaign FROM PUBLIC;

\getenv password MESSAGING_PASSWORD
CREATE ROLE messaging LOGIN PASSWORD :'password';
CREATE DATABASE messaging OWNER messaging;
REVOKE CONNECT ON DATABASE messaging FROM PUBLIC;

\getenv password ANALYTICS_PASSWORD
CREATE ROLE analytics LOGIN PASSWORD :'password';
CREATE DATABASE analytics OWNER analytics;
REVOKE CONNECT ON DATABASE analytics FROM PUBLIC;

\getenv password TWOWAY_PASSWORD
CREATE ROLE twoway LOGIN PASSWORD :'password';
CREATE DATABASE twoway OWNER twoway;
REVOKE CONNECT ON DATABASE twoway FROM PUBLIC;
