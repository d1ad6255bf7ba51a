//! Draws the panel. A thread does it, since a terminal that takes no output, as over a broken SSH connection, must not hold up
//! messages.

use crate::commands::terminal::{self, Line, Size, Terminal};
use crate::commands::{echo, status_line};
use crate::signals::{self, ENDING, Several};
use rustix::process::Signal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// The timeout for the frame that is drawn at the end.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// The pause until a busy thread is asked again.
const BUSY: Duration = Duration::from_millis(50);

/// A task for the thread.
enum Order {
    Draw(Vec<Line>, Size),
    /// Ctrl-Z: the panel is removed before the process stops.
    Stop,
    End,
}

/// The panel on a terminal.
pub(super) struct PanelThread {
    orders: SyncSender<Order>,
    is_ended: Arc<AtomicBool>,
    end: Receiver<()>,
}

impl PanelThread {
    /// Starts the thread, if there is a terminal that moves its cursor. Call it inside the runtime.
    pub(super) fn start() -> Option<PanelThread> {
        let terminal = Arc::new(Mutex::new(Terminal::find()?));
        status_line::begin_panel(terminal.clone());
        let (orders, waiting) = sync_channel(1);
        let (running, end) = channel();
        let is_ended: Arc<AtomicBool> = Arc::default();
        let has_ended = Arc::clone(&is_ended);
        std::thread::spawn(move || {
            carry_out(&waiting, &terminal, &has_ended);
            drop::<Sender<()>>(running);
        });
        if signals::has_job_control() {
            tokio::spawn(pass_on_stops(orders.clone()));
        }
        // The bridge handles the others itself.
        let others =
            ENDING.into_iter().filter(|number| ![Signal::INT, Signal::TERM, Signal::HUP].contains(number));
        if let Ok(others) = Several::catch(others) {
            tokio::spawn(terminal::end_at(others));
        }
        Some(PanelThread { orders, is_ended, end })
    }

    /// Draws a frame, unless the thread is busy with an earlier one.
    pub(super) fn draw(&self, lines: Vec<Line>, size: Size) {
        let _ = self.orders.try_send(Order::Draw(lines, size));
    }
}

impl Drop for PanelThread {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        let _ = self.orders.try_send(Order::End);
        match self.end.recv_timeout(CLOSING_TIME) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => status_line::end(),
            // The terminal takes no output.
            Err(RecvTimeoutError::Timeout) => echo::restore(),
        }
    }
}

fn carry_out(orders: &Receiver<Order>, terminal: &Mutex<Terminal>, has_ended: &AtomicBool) {
    for order in orders {
        match order {
            _ if has_ended.load(Ordering::Relaxed) => return,
            Order::Draw(lines, size) => {
                status_line::draw(terminal, |terminal| terminal.draw(&lines, size));
            }
            Order::Stop => terminal::stop_process(),
            Order::End => return,
        }
    }
}

/// Lets the thread stop the process after Ctrl-Z, so that no frame comes between.
async fn pass_on_stops(orders: SyncSender<Order>) {
    let Ok(mut stops) = signals::catch(Signal::TSTP) else { return };
    while stops.recv().await.is_some() {
        while let Err(error) = orders.try_send(Order::Stop) {
            match error {
                TrySendError::Full(_) => sleep(BUSY).await,
                TrySendError::Disconnected(_) => return,
            }
        }
    }
}
