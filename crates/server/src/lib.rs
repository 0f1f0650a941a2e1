//! REST API, web UI, scheduler and sweeper.
