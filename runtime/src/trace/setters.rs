//! What can be changed on a span, whether it is held by a handle or is the active one.

/// Writes the setters of a type that has `edit`, `is_recording` and `overrule`. Foreign code (`AsRef`, `Display`) runs before the span is
/// held.
macro_rules! setters {
    ($type:ty) => {
        impl $type {
            /// Sets a tag: text and `bool` become string tags, numbers become metrics, a list one tag `key.0`, `key.1`, and so on, for each of
            /// its values. A later value of the same key wins. Keys are cut at 200 bytes, texts at 25 000; of a span's tags beyond 1 000, or 1 MiB
            /// in all, those stay whose keys came first, and the others are [counted](crate::Counters::left_out_tags).
            ///
            /// Some keys say something else: `span.name`, `service.name`, `resource.name` and `span.type` set the field; `error` marks the span
            /// as failed or not; `analytics.event` makes the span an event for analytics. `http.status_code` is text, whatever it is given as,
            /// and its errors mark spans of kind `server` and `client` as failed.
            ///
            /// `manual.keep`, `manual.drop` and `sampling.priority` decide about the whole trace, as [`keep`](Self::keep) and
            /// [`reject`](Self::reject) do, and are not sent; the first two do nothing where the value is `false` or 0.
            #[inline]
            pub fn set_tag(&self, key: impl AsRef<str>, value: impl TagValue) {
                let key = key.as_ref();
                // Here, so that the compiler answers for a literal key.
                if is_special(key) || ManualTag::named(key).is_some() {
                    return self.set_special(key, &value);
                }
                self.set_plain(key, &value);
            }

            fn set_plain(&self, key: &str, value: &impl TagValue) {
                self.edit(|edit| edit.tag(key, value));
            }

            /// Sets a number tag.
            pub fn set_metric(&self, key: impl AsRef<str>, value: f64) {
                self.set_tag(key, value);
            }

            #[cold]
            fn set_special(&self, key: &str, value: &impl TagValue) {
                if let Some(tag) = ManualTag::named(key) {
                    return self.set_manual(tag.decide(value));
                }
                match Asked::of(key, value) {
                    Asked::Service(service) => self.set_service(service),
                    Asked::Change(change) => self.edit(|edit| edit.change(&change)),
                    Asked::Tag => self.edit(|edit| edit.tag(key, value)),
                }
            }

            /// Gives the span trace metrics of its own, or takes them back. Entry spans of a service have them anyway.
            pub fn set_measured(&self, is_measured: bool) {
                self.edit(|edit| edit.flag(Flags::MEASURED, is_measured));
            }

            /// Marks the span as failed or not, without a description. What is marked as not failed stays so whatever `http.status_code` says.
            pub fn set_failed(&self, is_failed: bool) {
                self.edit(|edit| edit.failed(is_failed));
            }

            /// Marks the span as not failed, and takes `error.type`, `error.message` and `error.stack` back.
            pub fn clear_error(&self) {
                self.edit(|edit| edit.clear_error());
            }

            /// Takes a tag back.
            pub fn unset_tag(&self, key: impl AsRef<str>) {
                let key = key.as_ref();
                self.edit(|edit| edit.unset(key));
            }

            /// Changes the operation name. An empty one takes the change back: the span has the name it began with.
            pub fn set_name(&self, name: impl AsRef<str>) {
                let name = name.as_ref();
                self.edit(|edit| edit.field(EntryKind::Name, name));
            }

            /// Changes the resource. An empty one takes the change back: of a function's span it is the attribute's, else the name.
            pub fn set_resource(&self, resource: impl AsRef<str>) {
                let resource = resource.as_ref();
                self.edit(|edit| edit.field(EntryKind::Resource, resource));
            }

            /// Changes the span type.
            pub fn set_span_type(&self, span_type: impl AsRef<str>) {
                let span_type = span_type.as_ref();
                self.edit(|edit| edit.field(EntryKind::SpanType, span_type));
            }

            /// Adds a link to another span: whatever names one, or a [`SpanLink`] that says more. A span has at most 128; further ones are
            /// left out and counted.
            pub fn add_link(&self, link: impl Into<SpanLink>) {
                let link = link.into();
                self.edit(|edit| edit.link(&link));
            }

            /// Adds an event: a name, or a [`SpanEvent`] that says more. A span has at most 128; further ones are left out and counted.
            pub fn add_event(&self, event: impl Into<SpanEvent>) {
                let event = event.into();
                if let Some(ticks) = self.ticks() {
                    self.edit(|edit| edit.event(&event, ticks));
                }
            }

            /// Adds an event `exception` that describes an error, without marking the span as failed: for one that was dealt with.
            pub fn record_error<E: Error + ?Sized>(&self, error: &E) {
                if !self.is_recording() {
                    return;
                }
                let event = ErrorInfo::of(error).into_event();
                if let Some(ticks) = self.ticks() {
                    self.edit(|edit| {
                        edit.event(&event, ticks);
                        edit.meta("_dd.span_events.has_exception", "true");
                    });
                }
            }

            /// Sets a structured value, sent as MessagePack in `meta_struct`, where Datadog's products look for what no tag can say. A later one
            /// of the key wins, and [`unset_tag`](Self::unset_tag) takes it back.
            ///
            /// Does nothing where the value can not be serialized, is no map (or struct) at its top, or takes more than 1 MiB.
            #[cfg(feature = "enable")]
            pub fn set_struct(&self, key: impl AsRef<str>, value: &(impl serde::Serialize + ?Sized)) {
                if !self.is_recording() {
                    return;
                }
                let key = key.as_ref();
                if let Some(value) = crate::trace::structure::structure(value) {
                    self.edit(|edit| edit.structure(key, &value));
                }
            }

            /// Marks the span as failed, with `error.type`, `error.message` and, where the error has sources, `error.stack`.
            /// Of a `Box<dyn Error>` or an `anyhow::Error` it takes what is inside: `set_error(&*error)`. For a text there are
            /// [`set_failed`](Self::set_failed) and the tag `error.message`.
            pub fn set_error<E: Error + ?Sized>(&self, error: &E) {
                if self.is_recording() {
                    self.fail(&ErrorInfo::of(error));
                }
            }

            /// Keeps the whole trace: priority 2, decided by hand, over every other decision.
            pub fn keep(&self) {
                self.overrule(SamplingPriority::USER_KEEP);
            }

            /// Drops the whole trace: priority -1, decided by hand, over every other decision.
            pub fn reject(&self) {
                self.overrule(SamplingPriority::USER_REJECT);
            }

            #[cold]
            fn set_manual(&self, priority: Option<SamplingPriority>) {
                if let Some(priority) = priority.filter(|_| self.is_recording()) {
                    self.overrule(priority);
                }
            }

            pub(crate) fn fail(&self, error: &ErrorInfo) {
                self.edit(|edit| edit.error(error));
            }
        }
    };
}

pub(crate) use setters;
