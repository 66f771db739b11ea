use dd_traced::traced;

#[traced]
const fn function() {}

#[traced]
pub(crate) const unsafe fn unsafe_function() {}

fn main() {
    function();
}
