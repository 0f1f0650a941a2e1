//! Messages between the server and its workers.
