//! A TCP connection: its two streams and its end.

use super::history::History;
use super::stream::{PendingPiece, StreamPart, TcpStream};
use super::{Close, Side, TcpEvent};
use crate::inspect::capture::Moment;
use crate::inspect::capture::network::Segment;

/// One connection, from its first segment.
#[derive(Debug)]
pub(super) struct TcpConnection {
    pub(super) number: u32,
    /// Whether A is the first end of the connection's key.
    is_a_first: bool,
    /// The number of its last frame, in few bits: it only orders the connections to evict.
    pub(super) last_frame: u32,
    streams: [TcpStream; 2],
    /// The sides whose FIN was emitted.
    has_sent_fin: [bool; 2],
    closed: Option<Close>,
    /// Whether it is in the queue of connections with pending bytes.
    pub(super) is_queued: bool,
}

impl TcpConnection {
    pub(super) fn new(number: u32, is_a_first: bool, frame: u64) -> TcpConnection {
        TcpConnection {
            number,
            is_a_first,
            last_frame: frame as u32,
            streams: [TcpStream::default(), TcpStream::default()],
            has_sent_fin: [false; 2],
            closed: None,
            is_queued: false,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// The cost of the pending bytes.
    pub(super) fn pending_cost(&self) -> usize {
        self.streams.iter().map(TcpStream::pending_cost).sum()
    }

    /// Whether `segment` belongs to a later connection between the same addresses and ports.
    pub(super) fn is_over_with(&self, segment: &Segment<'_>) -> bool {
        let side = self.side(segment);
        let stream = self.stream(side);
        if segment.is_syn {
            let is_answer = segment.acknowledgment.is_some();
            return stream.began_elsewhere(segment.sequence.wrapping_add(1))
                && !(is_answer && !self.is_closed() && stream.is_empty());
        }
        // A side that really sent RST sends nothing more. Otherwise the RST was injected, and the connection continues.
        let is_reset = matches!(self.closed, Some(Close::Reset(by) | Close::Refused(by)) if by == side);
        is_reset && !segment.is_reset && stream.is_news(&part(segment))
    }

    /// Takes a segment.
    pub(super) fn receive(
        &mut self,
        at: Moment,
        segment: &Segment<'_>,
        history: &mut History,
        emit: &mut impl FnMut(TcpEvent<'_>),
    ) {
        self.last_frame = at.frame as u32;
        if self.is_closed() {
            return;
        }
        let (number, side) = (self.number, self.side(segment));
        let is_refused = self.is_refused_by(side, segment);
        if segment.is_syn {
            self.open(side, segment);
        }
        self.start_other(side, segment);
        if let Some(acknowledgment) = segment.acknowledgment.filter(|_| !segment.is_reset) {
            let mut emit = pieces(number, side.other(), at, emit);
            self.stream_mut(side.other()).acknowledge(acknowledgment, history, &mut emit);
        }
        self.stream_mut(side).receive(&part(segment), history, &mut pieces(number, side, at, emit));
        self.emit_fins(at, emit);
        if segment.is_reset {
            self.stream(side).reset(segment.sequence, &mut pieces(number, side, at, emit));
            if let Some(acknowledgment) = segment.acknowledgment {
                self.stream(side.other()).reset(acknowledgment, &mut pieces(number, side.other(), at, emit));
            }
            let by = if is_refused { Close::Refused(side) } else { Close::Reset(side) };
            self.close(at, by, history, emit);
        } else if self.streams.iter().all(TcpStream::is_finished) {
            self.close(at, Close::Fin, history, emit);
        }
    }

    /// Whether this segment refuses the connection: RST in answer to SYN, from a side that sent nothing before.
    fn is_refused_by(&self, side: Side, segment: &Segment<'_>) -> bool {
        let (answering, asking) = (self.stream(side), self.stream(side.other()));
        let is_answer_to_syn = segment.acknowledgment.is_some_and(|number| asking.is_first(number));
        segment.is_reset && !segment.is_syn && is_answer_to_syn && answering.is_unknown()
    }

    /// Closes the connection and flushes all pending bytes.
    pub(super) fn close(
        &mut self,
        at: Moment,
        by: Close,
        history: &mut History,
        emit: &mut impl FnMut(TcpEvent<'_>),
    ) {
        if self.is_closed() {
            return;
        }
        let connection = self.number;
        for side in [Side::A, Side::B] {
            self.stream_mut(side).close(history, &mut pieces(connection, side, at, emit));
        }
        self.emit_fins(at, emit);
        self.closed = Some(by);
        emit(TcpEvent::Closed { connection, at, by });
    }

    /// Emits the FIN of each side whose bytes are complete.
    fn emit_fins(&mut self, at: Moment, emit: &mut impl FnMut(TcpEvent<'_>)) {
        let connection = self.number;
        for ((side, stream), is_emitted) in
            [Side::A, Side::B].into_iter().zip(&self.streams).zip(&mut self.has_sent_fin)
        {
            if stream.is_finished() && !std::mem::replace(is_emitted, true) {
                emit(TcpEvent::Fin { connection, at, side });
            }
        }
    }

    /// Flushes the pending bytes, to free their memory.
    pub(super) fn give_up(&mut self, at: Moment, history: &mut History, emit: &mut impl FnMut(TcpEvent<'_>)) {
        let connection = self.number;
        for side in [Side::A, Side::B] {
            self.stream_mut(side).give_up_all(history, &mut pieces(connection, side, at, emit));
        }
    }

    /// Takes the initial sequence numbers from a handshake.
    fn open(&mut self, side: Side, segment: &Segment<'_>) {
        self.stream_mut(side).restart(segment.sequence.wrapping_add(1));
        match segment.acknowledgment {
            Some(acknowledgment) => self.stream_mut(side.other()).start(acknowledgment),
            None => self.stream_mut(side.other()).await_start(),
        }
    }

    /// Takes the other side's initial sequence number from an acknowledgement, if its SYN was not captured: a side that has not
    /// sent anything yet most likely acknowledges the SYN only, since servers that send first are rare.
    fn start_other(&mut self, side: Side, segment: &Segment<'_>) {
        if let Some(acknowledgment) = segment.acknowledgment.filter(|_| !segment.is_syn && !segment.is_reset)
            && self.stream(side).is_first(segment.sequence)
            && self.stream(side.other()).is_unknown()
        {
            self.stream_mut(side.other()).start(acknowledgment);
        }
    }

    fn side(&self, segment: &Segment<'_>) -> Side {
        let is_source_first = segment.source <= segment.destination;
        if is_source_first == self.is_a_first { Side::A } else { Side::B }
    }

    fn stream(&self, side: Side) -> &TcpStream {
        let [a, b] = &self.streams;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }

    fn stream_mut(&mut self, side: Side) -> &mut TcpStream {
        let [a, b] = &mut self.streams;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }
}

/// The bytes of a segment. SYN occupies a sequence number before the first byte's.
fn part<'a>(segment: &Segment<'a>) -> StreamPart<'a> {
    StreamPart {
        sequence: segment.sequence.wrapping_add(segment.is_syn.into()),
        bytes: segment.bytes,
        missing: segment.missing,
        is_last: segment.is_fin,
    }
}

/// Converts one side's pieces to events.
fn pieces<'e>(
    connection: u32,
    side: Side,
    at: Moment,
    emit: &'e mut impl FnMut(TcpEvent<'_>),
) -> impl FnMut(PendingPiece<'_>) + 'e {
    move |piece| {
        emit(match piece {
            PendingPiece::Data { offset, bytes } => TcpEvent::Data { connection, at, side, offset, bytes },
            PendingPiece::Gap { offset, length } => TcpEvent::Gap { connection, at, side, offset, length },
            PendingPiece::Lag => TcpEvent::Lag { connection, at, side },
            PendingPiece::Conflict { offset, length } => {
                TcpEvent::Conflict { connection, at, side, offset, length }
            }
        });
    }
}
