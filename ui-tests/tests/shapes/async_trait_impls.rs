//! `#[async_trait]` on either side: it sees the functions before the attribute or after it.

use async_trait::async_trait;
use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

#[async_trait]
trait Store: Send + Sync {
    async fn get(&self, key: &str) -> Result<u8, Failed>;
    async fn count(&self) -> usize;

    #[traced]
    async fn get_twice(&self, key: &str) -> Result<u8, Failed> {
        Ok(self.get(key).await? + self.get(key).await?)
    }
}

struct OnEachMethod(u8);

#[async_trait]
impl Store for OnEachMethod {
    #[traced("on_each_method.get", tags(key))]
    async fn get(&self, key: &str) -> Result<u8, Failed> {
        pause().await;
        if key.is_empty() {
            return Err(Failed("no key"));
        }
        Ok(self.0)
    }

    #[traced]
    async fn count(&self) -> usize {
        pause().await;
        1
    }
}

struct Outside(u8);

#[traced]
#[async_trait]
impl Store for Outside {
    async fn get(&self, key: &str) -> Result<u8, Failed> {
        pause().await;
        if key.is_empty() {
            return Err(Failed("no key"));
        }
        Ok(self.0)
    }

    async fn count(&self) -> usize {
        2
    }
}

struct Inside(u8);

#[async_trait]
#[traced]
impl Store for Inside {
    async fn get(&self, key: &str) -> Result<u8, Failed> {
        pause().await;
        if key.is_empty() { Err(Failed("no key")) } else { Ok(self.0) }
    }

    async fn count(&self) -> usize {
        3
    }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        let stores: [Box<dyn Store>; 3] =
            [Box::new(OnEachMethod(1)), Box::new(Outside(2)), Box::new(Inside(3))];
        for (store, value) in stores.iter().zip(1_u8..) {
            assert_eq!(ready(store.get("a")), Ok(value));
            assert_eq!(ready(store.get("")), Err(Failed("no key")));
            assert_eq!(ready(store.get_twice("a")), Ok(2 * value));
            assert_eq!(ready(store.count()), usize::from(value));
        }
    });
    assert_eq!(spans, 18);
}
