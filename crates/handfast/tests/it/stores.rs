//! Every store answers alike, and a durable one keeps what it has acknowledged.
