//! handfast-participant
