//! Takes work, runs probes, reports.
