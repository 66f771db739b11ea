use dd_traced::traced;

#[traced(err = "display")]
#[track_caller]
fn function() -> Result<(), String> {
    Ok(())
}

struct Shop;

#[traced(err = "debug")]
impl Shop {
    #[track_caller]
    fn member(&self) -> Result<(), String> {
        Ok(())
    }

    #[track_caller]
    fn without_value(&self) {}

    #[track_caller]
    #[traced]
    fn of_its_own(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() {
    let _ = function();
    let _ = Shop.member();
    Shop.without_value();
    let _ = Shop.of_its_own();
}
