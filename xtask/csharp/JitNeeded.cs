// What no platform without a JIT can run, Unity's IL2CPP among them: native code is given a lambda that holds variables, for
// which a function would have to be made while the program runs. It tells whether a runtime really makes none.
using System;
using System.Runtime.InteropServices;

static class JitNeeded
{
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate int Comparison(IntPtr left, IntPtr right);

    [DllImport("libc.so.6", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    static extern void qsort(int[] items, UIntPtr count, UIntPtr size, Comparison comparison);

    static int Main()
    {
        int[] items = { 3, 1, 2 };
        int calls = 0;
        Comparison comparison = (left, right) => {
            calls++;
            return Marshal.ReadInt32(left).CompareTo(Marshal.ReadInt32(right));
        };
        try {
            qsort(items, (UIntPtr)items.Length, (UIntPtr)sizeof(int), comparison);
        } catch (Exception error) {
            // An ExecutionEngineException, which today's compilers do not let be named.
            Console.WriteLine("{0}: {1}", error.GetType().Name, error.Message);
            return 3;
        }
        Console.WriteLine("{0} {1} {2}, compared {3} times", items[0], items[1], items[2], calls > 0 ? "several" : "no");
        return 0;
    }
}
