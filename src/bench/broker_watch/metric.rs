//! The metrics of a broker that a run records beside its own measurements.

/// A metric of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    Clients,
    MessagesReceived,
    MessagesSent,
    MessagesDropped,
    BytesReceived,
    BytesSent,
    Stored,
    Retained,
    /// CPU time of the broker's processes.
    CpuTime,
    /// CPU usage of the whole machine that the broker runs on.
    MachineCpu,
    /// Memory by the broker's own account.
    MemoryUsed,
    /// Resident memory of the broker's processes.
    ResidentMemory,
}

/// How values of a metric are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A current value.
    Gauge,
    /// A count since the broker's start; a lower value means a restart.
    Counter,
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Bytes,
    Seconds,
    Percent,
}

impl Metric {
    pub(crate) const ALL: [Metric; 12] = [
        Metric::Clients,
        Metric::MessagesReceived,
        Metric::MessagesSent,
        Metric::MessagesDropped,
        Metric::BytesReceived,
        Metric::BytesSent,
        Metric::Stored,
        Metric::Retained,
        Metric::CpuTime,
        Metric::MachineCpu,
        Metric::MemoryUsed,
        Metric::ResidentMemory,
    ];

    /// The key in JSON, the title in reports, and how values are read.
    fn row(self) -> (&'static str, &'static str, Kind, Unit) {
        match self {
            Metric::Clients => ("clients", "clients", Kind::Gauge, Unit::Count),
            Metric::MessagesReceived => ("messages_received", "messages in", Kind::Counter, Unit::Count),
            Metric::MessagesSent => ("messages_sent", "messages out", Kind::Counter, Unit::Count),
            Metric::MessagesDropped => ("messages_dropped", "messages dropped", Kind::Counter, Unit::Count),
            Metric::BytesReceived => ("received_bytes", "bytes in", Kind::Counter, Unit::Bytes),
            Metric::BytesSent => ("sent_bytes", "bytes out", Kind::Counter, Unit::Bytes),
            Metric::Stored => ("messages_stored", "messages stored", Kind::Gauge, Unit::Count),
            Metric::Retained => ("messages_retained", "messages retained", Kind::Gauge, Unit::Count),
            Metric::CpuTime => ("cpu_seconds", "CPU time", Kind::Counter, Unit::Seconds),
            Metric::MachineCpu => ("machine_cpu_percent", "CPU of machine", Kind::Gauge, Unit::Percent),
            Metric::MemoryUsed => ("memory_used_bytes", "memory used", Kind::Gauge, Unit::Bytes),
            Metric::ResidentMemory => ("resident_memory_bytes", "resident memory", Kind::Gauge, Unit::Bytes),
        }
    }

    pub(crate) fn key(self) -> &'static str {
        self.row().0
    }

    pub(crate) fn of_key(key: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.key() == key)
    }

    pub(crate) fn title(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn kind(self) -> Kind {
        self.row().2
    }

    pub(crate) fn unit(self) -> Unit {
        self.row().3
    }

    /// Whether the operating system reports it, instead of the broker.
    pub(super) fn is_of_process(self) -> bool {
        matches!(self, Metric::CpuTime | Metric::ResidentMemory)
    }
}
