//! The first words: what there is to remark on the settings, and how the agent answered the first question, told once to who introduces the
//! tracer.

use std::time::Duration;

use super::report;
use super::run::Worker;
use crate::diagnostics;
use crate::export::client::Failure;
use crate::model::AgentInfo;

/// How the agent answered the first question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AgentCheck<'a> {
    /// It was not asked, or there was no time for an answer.
    Unknown,
    /// It said this of itself.
    Answered(&'a AgentInfo),
    /// It did not, in words that name its address.
    Failed(&'a str),
}

/// Introduces the tracer; called on the worker's thread, where there is one.
pub(crate) type Introduce = Box<dyn FnOnce(AgentCheck<'_>) + Send>;

/// Tells what takes longer to find out than a start should; called on the worker's thread, before anything is waited for.
pub(crate) type Remark = Box<dyn FnOnce() + Send>;

/// What is to be told at the start.
#[derive(Default)]
pub(super) struct Introduction {
    remark: Option<Remark>,
    introduce: Option<Introduce>,
    /// Whether an agent that cannot be reached is told of, and was not yet.
    has_diagnostic: bool,
}

impl Introduction {
    pub(super) fn new(introduce: Option<Introduce>, remark: Option<Remark>) -> Self {
        Self { has_diagnostic: introduce.is_some(), introduce, remark }
    }

    /// Makes the remarks, if that was not done.
    pub(super) fn remark(&mut self) {
        if let Some(remark) = self.remark.take() {
            remark();
        }
    }
}

impl Worker {
    /// Introduces the tracer, if that was not done.
    pub(super) fn introduce(&mut self, check: AgentCheck<'_>) {
        if let Some(introduce) = self.introduction.introduce.take() {
            introduce(check);
        }
    }

    /// The agent answered.
    pub(super) fn introduce_with(&mut self, info: &AgentInfo) {
        self.introduction.has_diagnostic = false;
        self.introduce(AgentCheck::Answered(info));
    }

    /// The agent did not answer as it should; one that cannot be reached is told of whatever the level.
    pub(super) fn introduce_without(&mut self, failure: &Failure, limit: Duration) {
        let cause = report::cause(failure, &self.delivery.agent, limit);
        self.introduce(AgentCheck::Failed(&cause));
        if std::mem::take(&mut self.introduction.has_diagnostic) && report::is_unreachable(failure) {
            let told = report::with_hint(&cause);
            diagnostics::announce(format_args!("DATADOG TRACER DIAGNOSTIC - {told}"));
            self.delivery.diagnosed();
        } else {
            diagnostics::debug(format_args!("the agent did not describe itself: {cause}"));
        }
    }
}
