using ArrSession;

/// <summary>What a test has to know of the native side, at which an application does not look.</summary>
internal static unsafe class NativeSide
{
    /// <summary>Waits until native has ended an operation, of which nobody has heard by then.</summary>
    internal static void AwaitEnd(PendingOperation operation)
    {
        int status = Native.arr_operation_wait(operation.Handle.Value, null, 20000, null);
        Check.Equal(Native.ARR_OK, status, "a wait for the end of an operation");
    }
}
