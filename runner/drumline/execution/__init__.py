"""Running a plan: the pure state, and the driver, sessions and executors around it."""
