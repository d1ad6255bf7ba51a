//! Connections that break, brokers and bridges that end: what arrives at the other broker.

mod matrix;
mod scripted;
