//! handfast-lab
