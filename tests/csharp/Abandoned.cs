using System;
using System.Threading;

/// <summary>
/// Unreferenced objects. Mono scans stacks conservatively, so any one of them may be kept by chance: several are created,
/// and more than half must be collected.
/// </summary>
internal sealed class Abandoned
{
    private const int Count = 5;

    private readonly WeakReference[] objects = new WeakReference[Count];

    private Abandoned()
    {
    }

    /// <summary>Creates them on threads that have ended by the time it returns, along with their stacks.</summary>
    internal static Abandoned Make(Func<int, object> make)
    {
        Abandoned abandoned = new Abandoned();
        for (int i = 0; i < Count; i++)
        {
            int number = i;
            Exception failure = null;
            Thread thread = new Thread(() =>
            {
                try
                {
                    abandoned.objects[number] = new WeakReference(make(number));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            });
            thread.Start();
            thread.Join();
            if (failure != null)
            {
                throw new CheckFailed("an object to abandon could not be created: " + failure);
            }
        }
        return abandoned;
    }

    /// <summary>Waits until most of them are collected and finalized.</summary>
    internal void AwaitCollection(string what)
    {
        FrameLoop.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                int gone = 0;
                for (int i = 0; i < Count; i++)
                {
                    gone += IsGone(i) ? 1 : 0;
                }
                return gone > Count / 2;
            },
            what);
    }

    internal bool IsGone(int number)
    {
        return !objects[number].IsAlive;
    }

    /// <summary>One that was collected.</summary>
    internal int AnyThatIsGone()
    {
        int number = 0;
        while (!IsGone(number))
        {
            number++;
        }
        return number;
    }
}
