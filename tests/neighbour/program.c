/* A C program that contains two Rust libraries: each catches its own panics. */
int neighbour_catches_its_panics(void);
int library_catches_its_panic(void);

int main(void)
{
    return neighbour_catches_its_panics() + library_catches_its_panic() + neighbour_catches_its_panics() == 3 ? 0 : 1;
}
