//! The memory for the bodies of all requests in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much memory all bodies together may take. The first KiB of each is free, and real ones are smaller, so only large
/// ones that are not completed use it up.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

/// What one body takes of the budget, until this is dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    budget: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Default for BodyBudget {
    fn default() -> BodyBudget {
        BodyBudget::new(32 * 1024 * 1024)
    }
}

impl BodyBudget {
    /// What one permit of the semaphore stands for, and what is free, in bytes.
    const UNIT: usize = 1024;

    fn new(bytes: usize) -> BodyBudget {
        BodyBudget(Arc::new(Semaphore::new(bytes / Self::UNIT)))
    }

    /// The share of a body that has not arrived yet.
    pub(crate) fn share(&self) -> BodyShare {
        BodyShare { budget: self.0.clone(), taken: None }
    }
}

impl BodyShare {
    /// Takes as much as a body of this length needs; false if the budget is used up.
    pub(crate) fn grow_to(&mut self, length: usize) -> bool {
        let taken = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = length.div_ceil(BodyBudget::UNIT).saturating_sub(1);
        let Some(missing) = needed.checked_sub(taken).filter(|missing| *missing > 0) else { return true };
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let Ok(more) = self.budget.clone().try_acquire_many_owned(missing) else { return false };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_the_budget_and_give_it_back() {
        let budget = BodyBudget::new(4 * 1024);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert!(one.grow_to(2000) && one.grow_to(5 * 1024), "a KiB is free");
        assert!(!one.grow_to(5 * 1024 + 1) && !two.grow_to(1025));
        assert!(two.grow_to(1) && two.grow_to(1024), "small bodies always have room");
        drop(one);
        assert!(two.grow_to(5 * 1024) && two.grow_to(1));
        assert!(!budget.share().grow_to(1025));
    }
}
