"""Running a plan: the driver around the pure engine, with sessions, executors and jobs."""
