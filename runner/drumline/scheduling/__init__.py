"""Runs at fixed times: what is written for systemd, cron and Task Scheduler of Windows. Texts alone."""
