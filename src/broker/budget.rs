//! Memory budgets: one for each client, and one that all clients share.
//!
//! Up to half of the shared budget, only the client's own budget counts. Beyond that, a client may grow only up to an equal
//! share of the other half, so that a client that uses little can continue while others use much.
//!
//! Messages are shared by their subscribers: a message counts once in the shared budget, and in full for each client that it
//! waits for.

use super::excess::Excess;
use std::cell::Cell;
use std::rc::Rc;

/// The memory that all clients share, in bytes.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    /// The limit that the user set, of which this budget is a part.
    whole: usize,
    used: Cell<usize>,
    accounts: Cell<usize>,
}

impl Budget {
    #[cfg(test)]
    pub(super) fn new(limit: usize) -> Rc<Budget> {
        Budget::part(limit, limit)
    }

    /// A part of the memory that the user allowed.
    pub(super) fn part(limit: usize, whole: usize) -> Rc<Budget> {
        Rc::new(Budget { limit, whole, used: Cell::new(0), accounts: Cell::new(0) })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn used(&self) -> usize {
        self.used.get()
    }

    /// Counts bytes that are already allocated.
    pub(super) fn add(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_add(bytes));
    }

    pub(super) fn remove(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }

    /// Whether a client may grow to `held` bytes, of which `more` are new.
    pub(super) fn allows(&self, held: usize, more: usize) -> bool {
        let used = self.used.get().saturating_add(more);
        used <= self.limit / 2 || used <= self.limit && held <= self.share()
    }

    /// Whether more than a quarter of the budget is in use: half of the part that clients share freely.
    pub(super) fn is_tight(&self) -> bool {
        self.used.get() > self.limit / 4
    }

    /// The bytes that each client may hold when the first half of the budget is in use.
    pub(super) fn share(&self) -> usize {
        self.limit / 2 / self.accounts.get().max(1)
    }
}

/// The memory that one client holds, in bytes.
#[derive(Debug)]
pub(super) struct Account {
    budget: Rc<Budget>,
    limit: usize,
    used: Cell<usize>,
    /// Messages that wait to be sent or acknowledged.
    queued: Cell<usize>,
    /// The part of `used` that [`Account::set_own`] counted.
    own: Cell<usize>,
}

impl Account {
    pub(super) fn new(budget: &Rc<Budget>, limit: usize) -> Rc<Account> {
        budget.accounts.set(budget.accounts.get() + 1);
        let (used, queued, own) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Rc::new(Account { budget: Rc::clone(budget), limit, used, queued, own })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The limit that more bytes of this client exceed, if they were refused; some of them are new in the shared budget.
    pub(super) fn excess(&self, more: usize, new: usize) -> Excess {
        match self.budget.allows(self.used.get() + more, new) {
            true => Excess::ClientMemory(self.limit),
            false => Excess::Memory(self.budget.whole),
        }
    }

    /// Counts memory of the client's own, such as subscriptions, until the charge is dropped. `None` if it exceeds half of
    /// the client's budget, since messages need the other half, or the shared budget.
    pub(super) fn hold(self: &Rc<Account>, bytes: usize) -> Option<Charge> {
        let held = self.used.get() + bytes;
        (held <= self.limit / 2 && self.budget.allows(held, bytes)).then(|| self.charge(bytes, 0))
    }

    /// Counts memory that is already in use.
    pub(super) fn hold_anyway(self: &Rc<Account>, bytes: usize) -> Charge {
        self.charge(bytes, 0)
    }

    /// Counts a message that waits in the client's queue until the charge is dropped: `shared` bytes that others have as
    /// well, and `own` bytes beside. `None` if it exceeds a budget.
    ///
    /// The first half of the client's budget takes a message of any size, or the largest ones would never arrive.
    pub(super) fn hold_message(self: &Rc<Account>, shared: usize, own: usize) -> Option<Charge> {
        self.has_room_for(shared, own).then(|| self.charge(own, shared))
    }

    /// Whether [`Account::hold_message`] accepts a message.
    pub(super) fn has_room_for(&self, shared: usize, own: usize) -> bool {
        let held = self.used.get() + shared + own;
        let is_within_limit = held <= self.limit || self.used.get() <= self.limit / 2;
        is_within_limit && self.budget.allows(held, own)
    }

    fn charge(self: &Rc<Account>, own: usize, shared: usize) -> Charge {
        self.used.set(self.used.get() + own + shared);
        self.queued.set(self.queued.get() + shared);
        self.budget.add(own);
        Charge { account: Rc::clone(self), own, shared }
    }

    /// Sets the client's memory besides its charges, such as buffers. Nothing is refused here.
    pub(super) fn set_own(&self, bytes: usize) {
        let before = self.own.replace(bytes);
        if before != bytes {
            self.used.set((self.used.get() + bytes).saturating_sub(before));
            self.budget.add(bytes);
            self.budget.remove(before);
        }
    }

    /// Whether the client's current memory is within the budgets.
    pub(super) fn is_within_budget(&self) -> bool {
        // A packet as large as the budget is read together with the bytes after it.
        let held = self.used.get();
        held <= self.limit.saturating_add(self.limit / 8) && self.budget.allows(held, 0)
    }

    /// Whether the shared budget has room for these bytes on top of the client's memory.
    pub(super) fn fits_beside(&self, bytes: usize) -> bool {
        self.budget.allows(self.used.get() + bytes, bytes)
    }

    /// The bytes of messages that wait to be sent or acknowledged.
    pub(super) fn queued(&self) -> usize {
        self.queued.get()
    }

    /// Whether these bytes exceed this fraction of the client's current budget.
    pub(super) fn exceeds_part(&self, bytes: usize, part: usize) -> bool {
        bytes > self.limit / part || self.budget.is_tight() && bytes > self.budget.share() / part
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.accounts.set(self.budget.accounts.get().saturating_sub(1));
        self.budget.remove(self.own.get());
    }
}

/// Memory that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    account: Rc<Account>,
    own: usize,
    shared: usize,
}

impl Clone for Charge {
    fn clone(&self) -> Charge {
        self.account.charge(self.own, self.shared)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let account = &self.account;
        account.used.set(account.used.get().saturating_sub(self.own + self.shared));
        account.queued.set(account.queued.get().saturating_sub(self.shared));
        account.budget.remove(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_held_to_its_own_budget() {
        let budget = Budget::new(1000);
        let account = Account::new(&budget, 200);
        let charge = account.hold(60);
        assert!(charge.is_some() && account.hold(41).is_none() && account.hold(40).is_some());
        assert!(account.hold_message(140, 1).is_some(), "messages have the other half");
        assert_eq!(budget.used(), 60);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_client_that_holds_little_goes_on_while_another_holds_much() {
        let budget = Budget::new(1000);
        let (greedy, modest) = (Account::new(&budget, 2000), Account::new(&budget, 2000));
        let _held = greedy.hold(500).unwrap();
        assert!(greedy.hold(1).is_none());
        assert!(modest.hold(251).is_none());
        let _held = modest.hold(250).unwrap();
        assert!(modest.hold(1).is_none());
        drop(greedy);
        assert_eq!(budget.used(), 750, "the charges outlive the client");
    }

    #[test]
    fn a_message_counts_for_each_client_and_once_for_all() {
        let budget = Budget::new(1000);
        let (one, two) = (Account::new(&budget, 400), Account::new(&budget, 400));
        budget.add(300);
        let _held = (one.hold_message(300, 10).unwrap(), two.hold_message(300, 10).unwrap());
        assert_eq!(budget.used(), 320);
        assert!(one.exceeds_part(one.queued(), 4) && one.hold_message(300, 10).is_none());
    }

    #[test]
    fn a_set_amount_replaces_the_previous_one() {
        let budget = Budget::new(1000);
        let account = Account::new(&budget, 100);
        account.set_own(70);
        account.set_own(50);
        assert!(account.is_within_budget() && account.hold(1).is_none());
        account.set_own(113);
        assert!(!account.is_within_budget());
        drop(account);
        assert_eq!(budget.used(), 0);
    }
}
